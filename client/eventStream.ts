import { Value } from 'typebox/value';
import { SpoonError } from '../protocol/errors.ts';
import { type SpoonEvent, spoonEvents } from '../protocol/events.ts';
import { parseControl } from '../protocol/terminalFrames.ts';
import type { ApiClient } from './apiClient.ts';
import { ReconnectingSocket, type Timing, ticketTimeoutMs } from './reconnectingSocket.ts';
import type { ReconnectState } from './reconnectRules.ts';
import type { OpenSocket } from './socket.ts';

export interface EventListener {
  readonly onEvent: (event: SpoonEvent) => void;
  /**
   * From now on nothing is missed, but something may have been: list again. Called at the first connection too, because
   * what was listed before it may be old already.
   */
  readonly onGap: () => void;
  readonly onState?: (state: ReconnectState) => void;
}

export interface EventStreamOptions {
  readonly api: ApiClient;
  readonly openSocket: OpenSocket;
  readonly listener: EventListener;
  readonly timing?: Timing | undefined;
}

/** `/v1/events` as typed callbacks, for as long as it is open. */
export class EventStream {
  readonly #socket: ReconnectingSocket;
  readonly #listener: EventListener;

  constructor({ api, openSocket, listener, timing }: EventStreamOptions) {
    this.#listener = listener;
    this.#socket = new ReconnectingSocket({
      target: async (signal) => {
        const { ticket } = await api.call('createTicket', {
          body: { kind: 'events' },
          signal,
          timeoutMs: ticketTimeoutMs,
        });
        return { url: api.socketUrl('events', {}), ticket };
      },
      openSocket,
      timing,
      onMessage: (data) => this.#receive(data),
      onState: (state) => listener.onState?.(state),
    });
  }

  /** Starts it; after it gave up (a refused token) or while it waits, tries at once. */
  connect(): void {
    this.#socket.connect();
  }

  /** See {@link ReconnectingSocket.renew}. */
  renew(): void {
    this.#socket.renew();
  }

  close(): void {
    this.#socket.close();
  }

  #receive(data: Uint8Array | string): void {
    const event = parseEvent(data);
    if (event === undefined) return;
    // One that cannot be read still says that something changed.
    if (event === 'malformed' || event.type === 'hello') this.#listener.onGap();
    if (event !== 'malformed') this.#listener.onEvent(event);
  }
}

/** Undefined for a type that only a newer service knows. */
function parseEvent(data: Uint8Array | string): SpoonEvent | 'malformed' | undefined {
  if (typeof data !== 'string') return 'malformed';
  try {
    const message = parseControl(data);
    if (!Object.hasOwn(spoonEvents, message.type)) return undefined;
    const schema = spoonEvents[message.type as SpoonEvent['type']];
    return Value.Check(schema, message) ? message : 'malformed';
  } catch (error) {
    if (error instanceof SpoonError) return 'malformed';
    throw error;
  }
}
