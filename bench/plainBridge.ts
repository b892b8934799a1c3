// The reference of some rows: a bridge from WebSockets to Docker's exec API as one writes it in an afternoon, without flow
// control. `node bench/plainBridge.ts SOCKET CONTAINER` prints its port.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Docker from 'dockerode';
import { WebSocketServer } from 'ws';

const [socketPath, containerId] = process.argv.slice(2);
if (socketPath === undefined || containerId === undefined) throw new Error('usage: plainBridge.ts SOCKET CONTAINER');
const container = new Docker({ socketPath }).getContainer(containerId);

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (webSocket) => {
  const streams = (async () => {
    const exec = await container.exec({
      Cmd: ['bash', '-l'],
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    stream.on('data', (chunk: Buffer) => webSocket.send(chunk));
    stream.on('end', () => webSocket.close());
    return stream;
  })();
  webSocket.on('message', (data: Buffer) => void streams.then((stream) => stream.write(data)));
  webSocket.on('close', () => void streams.then((stream) => stream.destroy()));
});
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
