import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import {
  deadAfterMs,
  maxFrameBytes,
  maxSubscribersPerUser,
  maxUnreadEventBytes,
  pingIntervalMs,
} from '../../protocol/limits.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';
import { socketProtocol } from '../../protocol/version.ts';
import type { Grant } from './upgrade.ts';

interface Subscriber {
  readonly socket: WebSocket;
  readonly tokenId: string;
  heardMs: number;
  pings: number;
}

// RFC 6455 section 7.4.1 and the IANA registry of close codes
const policyViolation = 1008;
const tryAgainLater = 1013;
/** A client needs one in 20 s; thousands are an attack on the answers (row 62). */
const maxPingsPerInterval = 100;

/** Who listens to `/v1/events`. A user's events go to that user's windows only; a slow window is dropped, not waited for. */
export class EventSubscribers {
  readonly #instanceId: string;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    // Only the version is echoed; the ticket beside it never is.
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
  });
  readonly #subscribers = new Map<string, Set<Subscriber>>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(instanceId: string) {
    this.#instanceId = instanceId;
    this.#heartbeat = setInterval(() => this.#checkHearts(), pingIntervalMs);
    this.#heartbeat.unref();
  }

  /** @throws SpoonError `too-many-requests` */
  accept(grant: Grant, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if ((this.#subscribers.get(grant.userId)?.size ?? 0) >= maxSubscribersPerUser) {
      throw new SpoonError('too-many-requests', 'Too many windows listen for events.', {
        extra: { retryAfterSeconds: 60 },
      });
    }
    this.#server.handleUpgrade(request, socket, head, (accepted) => this.#add(grant, accepted));
  }

  /** To every window of this user; never waits. */
  publish(userId: string, event: SpoonEvent): void {
    const subscribers = this.#subscribers.get(userId);
    if (subscribers === undefined) return;
    const text = JSON.stringify(event);
    for (const subscriber of subscribers) send(subscriber.socket, text);
  }

  /** How many listen, of all users. */
  get count(): number {
    return [...this.#all()].length;
  }

  isHeard(userId: string): boolean {
    return this.#subscribers.has(userId);
  }

  closeThoseOf(tokenId: string): void {
    for (const { socket, tokenId: own } of this.#all())
      if (own === tokenId) close(socket, closeCode.revoked, 'revoked');
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const { socket } of this.#all()) close(socket, closeCode.serviceRestart, 'the service is stopping');
  }

  #add({ userId, tokenId }: Grant, socket: WebSocket): void {
    const subscriber: Subscriber = { socket, tokenId, heardMs: performance.now(), pings: 0 };
    const own = this.#subscribers.get(userId) ?? new Set();
    this.#subscribers.set(userId, own.add(subscriber));
    socket.on('close', () => {
      own.delete(subscriber);
      if (own.size === 0 && this.#subscribers.get(userId) === own) this.#subscribers.delete(userId);
    });
    // ws closes the socket itself after a broken frame, with the right code; 'close' follows.
    socket.on('error', () => {});
    socket.on('message', () => close(socket, closeCode.badMessage, 'this socket only listens'));
    socket.on('pong', () => {
      subscriber.heardMs = performance.now();
    });
    socket.on('ping', () => {
      subscriber.heardMs = performance.now();
      if (++subscriber.pings > maxPingsPerInterval) close(socket, policyViolation, 'too many pings');
    });
    send(socket, JSON.stringify({ type: 'hello', instanceId: this.#instanceId } satisfies SpoonEvent));
  }

  #checkHearts(): void {
    for (const subscriber of this.#all()) {
      subscriber.pings = 0;
      if (performance.now() - subscriber.heardMs > deadAfterMs) subscriber.socket.terminate();
      else subscriber.socket.ping();
    }
  }

  *#all(): Generator<Subscriber> {
    for (const subscribers of [...this.#subscribers.values()]) yield* [...subscribers];
  }
}

function send(socket: WebSocket, text: string): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > maxUnreadEventBytes) close(socket, tryAgainLater, 'too slow: connect again and list');
  else socket.send(text);
}

/** A peer that does not answer the closing handshake is cut off soon after. */
function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  const cut = setTimeout(() => socket.terminate(), 2_000);
  cut.unref();
  socket.once('close', () => clearTimeout(cut));
}
