import { rootCertificates } from 'node:tls';
import { WebSocket } from 'ws';
import type { OpenSocket, SocketEnd } from '../../client/socket.ts';
import { socketProtocols } from '../../client/socket.ts';
import { deadAfterMs, maxFrameBytes } from '../../protocol/limits.ts';

/** Frames of an attached terminal are at most this; events are JSON of a few hundred bytes. */
const maxMessageBytes = Math.max(maxFrameBytes, 1024 * 1024);
/** A socket that is not closed properly within this is dropped. */
const closeTimeoutMs = 2_000;

/** {@link OpenSocket} over ws: it takes certificate authorities and tells with which status an upgrade was refused. */
export function nodeSocketOpener(caPem: string | undefined): OpenSocket {
  const trust = caPem === undefined ? {} : { ca: [...rootCertificates, caPem] };
  return (target, events) => {
    const socket = new WebSocket(target.url, socketProtocols(target.ticket), {
      ...trust,
      followRedirects: false,
      maxPayload: maxMessageBytes,
      perMessageDeflate: false,
    });
    let end: Partial<SocketEnd> = {};
    const life = watchLife(socket);
    socket.on('open', () => {
      life.seen();
      events.opened();
    });
    socket.on('ping', life.seen);
    socket.on('message', (data: Buffer, isBinary) => {
      life.seen();
      events.message(isBinary ? data : data.toString('utf8'));
    });
    socket.on('unexpected-response', (request, response) => {
      end = response.statusCode === undefined ? {} : { status: response.statusCode };
      response.resume();
      request.destroy();
      socket.terminate();
    });
    socket.on('error', (cause) => {
      end = { ...end, cause };
    });
    socket.on('close', (code, reason) => {
      life.stop();
      events.closed({ code, reason: reason.toString('utf8').slice(0, 200), ...end });
    });
    return {
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      send: (data) => socket.send(data),
      close: (code) => {
        socket.close(code);
        const timer = setTimeout(() => socket.terminate(), closeTimeoutMs);
        socket.once('close', () => clearTimeout(timer));
      },
    };
  };
}

/** The service pings; when it has not been heard of for long, the connection is dead though nobody said so. */
function watchLife(socket: WebSocket): { seen: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  const seen = (): void => {
    stop();
    timer = setTimeout(() => socket.terminate(), deadAfterMs);
  };
  return { seen, stop };
}
