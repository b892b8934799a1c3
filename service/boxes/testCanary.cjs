// Something on a network that boxes must not reach, or may: it says what reached it, one line each. For tests.
// `node testCanary.cjs PORT… [dns]`: accepts on these ports of all addresses, and answers names as a name server would.
const { createServer } = require('node:http');
const { createSocket } = require('node:dgram');

const [dns, ports] = [process.argv.includes('dns'), process.argv.slice(2).filter((word) => word !== 'dns')];
const say = (text) => process.stdout.write(`${text}\n`);
const listening = ports.map(
  (port) =>
    new Promise((resolve) => {
      const server = createServer((request, response) => {
        const { searchParams } = new URL(request.url, 'http://canary');
        const to = searchParams.get('to');
        if (to === null) response.end('reached');
        else response.writeHead(302, { location: to }).end();
      });
      server.on('connection', ({ localAddress }) => say(`hit ${localAddress.replace('::ffff:', '')} ${port}`));
      server.listen(Number(port), '::', resolve);
    }),
);
if (dns) {
  listening.push(
    new Promise((resolve) => {
      const socket = createSocket('udp4');
      socket.on('message', (query, { address, port }) => {
        const end = query.indexOf(0, 12) + 5;
        const name = query.toString('latin1', 13, end);
        say(`query ${name.replaceAll(/[^a-z]/g, ' ').trim()}`);
        const isV4 = query.readUInt16BE(end - 4) === 1;
        const head = Buffer.from(query.subarray(0, 12));
        head.writeUInt16BE(0x8180, 2);
        head.writeUInt16BE(isV4 ? 1 : 0, 6);
        head.writeUInt32BE(0, 8);
        const target = name.startsWith('rebind') ? [169, 254, 169, 254] : [198, 51, 100, 2];
        const answer = isV4 ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...target]) : Buffer.alloc(0);
        socket.send(Buffer.concat([head, query.subarray(12, end), answer]), port, address);
      });
      socket.bind(53, () => resolve());
    }),
  );
}
Promise.all(listening).then(() => say('ready'));
