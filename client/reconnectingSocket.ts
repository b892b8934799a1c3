import { SpoonError } from '../protocol/errors.ts';
import { networkFailure } from './networkFailure.ts';
import { nextReconnectState, type ReconnectEvent, type ReconnectState } from './reconnectRules.ts';
import type { OpenSocket, Socket, SocketEnd, SocketTarget } from './socket.ts';

/** An upgrade that takes longer is given up; the ticket behind it lives for 30 s. */
const handshakeTimeoutMs = 10_000;
/** For `createTicket` before it: a network that swallows everything must not cost a whole minute of each attempt. */
export const ticketTimeoutMs = 10_000;

/** Clock, chance and timer of the platform; tests bring their own. */
export interface Timing {
  /** Milliseconds that only go up. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Calls back once after `ms`; the result takes that back. */
  after(ms: number, callback: () => void): () => void;
}

export const platformTiming: Timing = {
  now: () => performance.now(),
  random: () => Math.random(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

export interface ReconnectingSocketOptions {
  /** Where to and with which ticket; asked anew for every attempt. */
  readonly target: (signal: AbortSignal) => Promise<SocketTarget>;
  readonly openSocket: OpenSocket;
  readonly timing?: Timing | undefined;
  readonly onMessage: (data: Uint8Array | string) => void;
  /** After `connected` the socket takes messages. */
  readonly onState: (state: ReconnectState) => void;
}

/** A WebSocket that follows `reconnectRules.ts`: fetches a ticket, opens, and comes back until told or refused. */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  readonly #timing: Timing;
  #state: ReconnectState = { name: 'idle' };
  #socket: Socket | undefined;
  /** Ends what belongs to the current attempt: its ticket request, its handshake timer, its wait. */
  #attempt = new AbortController();

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
    this.#timing = options.timing ?? platformTiming;
  }

  get state(): ReconnectState {
    return this.#state;
  }

  get bufferedAmount(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Opens it, also again after an ending; while it waits for the next attempt, that is made now. */
  connect(): void {
    this.#dispatch({ type: 'connect' });
  }

  /** False, and nothing sent, when there is no connection. */
  send(data: Uint8Array | string): boolean {
    if (this.#state.name !== 'connected' || this.#socket === undefined) return false;
    this.#socket.send(data);
    return true;
  }

  /** Drops the connection and opens a new one: for a machine that woke up and must not wait for a dead one to be noticed. */
  renew(): void {
    if (this.#state.name === 'connected') this.#lost({ code: 1006, reason: 'renewed' });
    this.connect();
  }

  close(): void {
    this.#dispatch({ type: 'stop' });
  }

  #dispatch(event: ReconnectEvent): void {
    const before = this.#state;
    this.#state = nextReconnectState(before, event);
    const state = this.#state;
    if (state === before) return;
    if (state.name !== 'connected') {
      this.#attempt.abort();
      this.#attempt = new AbortController();
      this.#dropSocket();
    }
    const { signal } = this.#attempt;
    this.#options.onState(state);
    if (signal.aborted) return;
    if (state.name === 'connecting') void this.#open(signal);
    if (state.name === 'awaitingRetry') this.#during(signal, state.delayMs, { type: 'retryDue' });
  }

  async #open(signal: AbortSignal): Promise<void> {
    try {
      const target = await this.#options.target(signal);
      if (signal.aborted) return;
      this.#openTarget(target, signal);
    } catch (cause) {
      if (signal.aborted) return;
      const error = cause instanceof SpoonError ? cause : networkFailure('The service', cause);
      this.#dispatch({ type: 'refused', error, jitter: this.#timing.random() });
    }
  }

  #openTarget(target: SocketTarget, signal: AbortSignal): void {
    const { host } = new URL(target.url);
    const jitter = this.#timing.random();
    const slow = new SpoonError('service-unreachable', `${host} did not open the connection in time.`);
    this.#during(signal, handshakeTimeoutMs, { type: 'refused', error: slow, jitter });
    let openedMs = 0;
    const socket = this.#options.openSocket(target, {
      opened: () => {
        if (this.#socket !== socket) return;
        openedMs = this.#timing.now();
        this.#dispatch({ type: 'opened' });
      },
      message: (data) => {
        if (this.#socket === socket) this.#options.onMessage(data);
      },
      closed: (end) => {
        if (this.#socket !== socket) return;
        if (this.#state.name === 'connected') this.#lost(end, this.#timing.now() - openedMs);
        else this.#dispatch({ type: 'refused', error: refusedUpgrade(host, end), jitter });
      },
    });
    this.#socket = socket;
  }

  #lost({ code, reason }: SocketEnd, openMs = 0): void {
    this.#dispatch({ type: 'closed', code, reason, openMs, jitter: this.#timing.random() });
  }

  #during(signal: AbortSignal, ms: number, event: ReconnectEvent): void {
    signal.addEventListener(
      'abort',
      this.#timing.after(ms, () => this.#dispatch(event)),
      { once: true },
    );
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}

/** Why an upgrade failed, as far as can be told. The ticket was valid when asked for, so a 401 means: too late, ask again. */
function refusedUpgrade(host: string, { status, code, cause }: SocketEnd): SpoonError {
  if (status === 401) return new SpoonError('ticket-invalid');
  if (status === 403) return new SpoonError('origin-not-allowed');
  if (status === 404 || status === 410) return new SpoonError('not-found');
  if (status === 426) return new SpoonError('service-incompatible', `${host} wants another protocol. Update Spoon.`);
  if (status !== undefined)
    return new SpoonError('service-unreachable', `${host} refused the connection with ${status}.`);
  return networkFailure(host, cause ?? { code });
}
