import { socketProtocol, ticketProtocolPrefix } from '../protocol/version.ts';

/** One WebSocket, as little of it as Spoon needs, so that the platform's and `ws` both fit. */
export interface Socket {
  /** Bytes given to `send` that have not left yet. */
  readonly bufferedAmount: number;
  send(data: Uint8Array | string): void;
  /** `closed` still follows, at once or when the other side has answered. Closing twice does nothing. */
  close(code?: number): void;
}

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
  /** HTTP status with which the upgrade was refused, where the platform tells. */
  readonly status?: number;
  /** What the platform reported, for the log. */
  readonly cause?: unknown;
}

export interface SocketEvents {
  opened(): void;
  /** Binary or text; the bytes may be kept. */
  message(data: Uint8Array | string): void;
  /** Once, and the last; also where it never opened. */
  closed(end: SocketEnd): void;
}

export interface SocketTarget {
  /** `wss://…` or, on loopback, `ws://…`. */
  readonly url: string;
  /** One use; it rides in the subprotocols and never in the URL. */
  readonly ticket: string;
}

export type OpenSocket = (target: SocketTarget, events: SocketEvents) => Socket;

export function socketProtocols(ticket: string): string[] {
  return [socketProtocol, `${ticketProtocolPrefix}${ticket}`];
}

/** {@link OpenSocket} over the platform's own WebSocket. It does not tell why an upgrade was refused. */
export function openPlatformSocket(target: SocketTarget, events: SocketEvents): Socket {
  const socket = new WebSocket(target.url, socketProtocols(target.ticket));
  socket.binaryType = 'arraybuffer';
  let cause: unknown;
  socket.addEventListener('open', () => events.opened());
  socket.addEventListener('message', (event: MessageEvent) => {
    const data = event.data as string | ArrayBuffer;
    events.message(typeof data === 'string' ? data : new Uint8Array(data));
  });
  socket.addEventListener('error', (event) => {
    cause = event;
  });
  socket.addEventListener('close', ({ code, reason }) => events.closed({ code, reason, cause }));
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data) => socket.send(data as string | Uint8Array<ArrayBuffer>),
    close: (code) => socket.close(code),
  };
}
