import { WebSocket } from 'ws';
import { type OpenSocket, socketProtocols } from '../client/socket.ts';
import { deadAfterMs, pingIntervalMs } from '../protocol/limits.ts';

/** Frames of output are a few 64 KiB at most; a longer one is not from boxd. */
const maxPayloadBytes = 1024 * 1024;

/** WebSockets over `ws`: tells why an upgrade was refused, and notices a connection that is dead without saying so. */
export const openNodeSocket: OpenSocket = (target, events) => {
  const socket = new WebSocket(target.url, socketProtocols(target.ticket), {
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let status: number | undefined;
  let cause: unknown;
  let heardMs = performance.now();
  const heard = (): void => {
    heardMs = performance.now();
  };
  const heartbeat = setInterval(() => {
    if (performance.now() - heardMs > deadAfterMs) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }, pingIntervalMs);
  heartbeat.unref();

  socket.on('open', () => events.opened());
  socket.on('pong', heard);
  socket.on('message', (data: Buffer, isBinary) => {
    heard();
    events.message(isBinary ? data : data.toString());
  });
  socket.on('unexpected-response', (request, response) => {
    status = response.statusCode;
    request.destroy();
    socket.terminate();
  });
  socket.on('error', (error) => {
    cause = error;
  });
  socket.on('close', (code, reason) => {
    clearInterval(heartbeat);
    events.closed({ code, reason: reason.toString(), cause, ...(status === undefined ? {} : { status }) });
  });
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(data),
    close: (code) => socket.close(code),
  };
};
