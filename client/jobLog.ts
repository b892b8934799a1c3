import { Value } from 'typebox/value';
import { SpoonError } from '../protocol/errors.ts';
import { type Job, type JobLogRequest, jobLogMessages } from '../protocol/jobs.ts';
import { viewerCreditBytes } from '../protocol/limits.ts';
import { parseControl } from '../protocol/terminalFrames.ts';
import type { ApiClient } from './apiClient.ts';
import { ReconnectingSocket, type Timing, ticketTimeoutMs } from './reconnectingSocket.ts';
import type { ReconnectState } from './reconnectRules.ts';
import type { OpenSocket } from './socket.ts';

export interface JobLogListener {
  /**
   * Output as it came, with its escape sequences.
   * @param endOffset for {@link JobLog.acknowledge} once it has been shown: no more comes than was asked for
   */
  readonly onOutput: (bytes: Uint8Array, endOffset: number) => void;
  /** So many bytes before the next output are not kept. */
  readonly onOmitted?: (bytes: number) => void;
  /** Its state, at first and whenever it changes. */
  readonly onJob: (job: Job) => void;
  /** Once, after all output; the connection is closed. */
  readonly onEnd: (job: Job) => void;
  /** The connection; `disconnected` by a refusal is the end of it, such as for a job that was removed. */
  readonly onState?: (state: ReconnectState) => void;
}

export interface JobLogOptions {
  readonly api: ApiClient;
  readonly openSocket: OpenSocket;
  readonly id: string;
  readonly listener: JobLogListener;
  /** Where to begin; default at the first byte. */
  readonly offset?: number;
  /** Bytes that may come before any is acknowledged. */
  readonly creditBytes?: number;
  readonly timing?: Timing | undefined;
}

/** The log of a job from its beginning to its end, live while it runs; comes back after a cut where it was. */
export class JobLog {
  readonly #socket: ReconnectingSocket;
  readonly #listener: JobLogListener;
  #offset: number;
  #ended = false;

  constructor({ api, openSocket, id, listener, offset = 0, creditBytes = viewerCreditBytes, timing }: JobLogOptions) {
    this.#listener = listener;
    this.#offset = offset;
    this.#socket = new ReconnectingSocket({
      target: async (signal) => {
        const body = { kind: 'job', id } as const;
        const { ticket } = await api.call('createTicket', { body, signal, timeoutMs: ticketTimeoutMs });
        return { url: api.socketUrl('followJob', { id }), ticket };
      },
      openSocket,
      timing,
      onMessage: (data) => this.#receive(data),
      onState: (state) => {
        if (state.name === 'connected') this.#say({ type: 'follow', offset: this.#offset, credit: creditBytes });
        if (!this.#ended) listener.onState?.(state);
      },
    });
  }

  connect(): void {
    this.#socket.connect();
  }

  /** See {@link ReconnectingSocket.renew}. */
  renew(): void {
    this.#socket.renew();
  }

  acknowledge(endOffset: number): void {
    this.#say({ type: 'ack', offset: endOffset });
  }

  close(): void {
    this.#socket.close();
  }

  #say(request: JobLogRequest): void {
    this.#socket.send(JSON.stringify(request));
  }

  #receive(data: Uint8Array | string): void {
    if (typeof data !== 'string') {
      this.#offset += data.length;
      this.#listener.onOutput(data, this.#offset);
      return;
    }
    const message = parse(data);
    if (message === undefined) return;
    if (message.type === 'job') this.#listener.onJob(message.job);
    else if (message.type === 'output') {
      this.#offset = message.offset;
      if (message.omitted > 0) this.#listener.onOmitted?.(message.omitted);
    } else {
      this.#ended = true;
      this.#socket.close();
      this.#listener.onEnd(message.job);
    }
  }
}

/** Undefined for a type that only a newer service knows, and for what nobody can read. */
function parse(text: string) {
  try {
    const message = parseControl(text);
    if (Value.Check(jobLogMessages.job, message)) return message;
    if (Value.Check(jobLogMessages.output, message)) return message;
    return Value.Check(jobLogMessages.end, message) ? message : undefined;
  } catch (error) {
    if (error instanceof SpoonError) return undefined;
    throw error;
  }
}
