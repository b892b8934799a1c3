import { Value } from 'typebox/value';
import { SpoonError } from '../protocol/errors.ts';
import { type FileChange, type WatchRequest, watchMessages } from '../protocol/homeFiles.ts';
import { parseControl } from '../protocol/terminalFrames.ts';
import type { ApiClient } from './apiClient.ts';
import { ReconnectingSocket, type Timing, ticketTimeoutMs } from './reconnectingSocket.ts';
import type { OpenSocket } from './socket.ts';

export interface FileWatchListener {
  readonly onChanges: (changes: readonly FileChange[]) => void;
  /** Changes may have been missed, or are too many to be told: look again at what is shown. */
  readonly onGap: () => void;
  /** Not all folders can be watched. */
  readonly onIncomplete?: () => void;
}

export interface FileWatchOptions {
  readonly api: ApiClient;
  readonly openSocket: OpenSocket;
  readonly listener: FileWatchListener;
  readonly timing?: Timing | undefined;
}

export type WatchedFolder = WatchRequest['folders'][number];

/** Changes of files in the home: one connection, however many folders; open only while there are any. */
export class FileWatch {
  readonly #socket: ReconnectingSocket;
  readonly #listener: FileWatchListener;
  #folders: readonly WatchedFolder[] = [];
  #wasConnected = false;

  constructor({ api, openSocket, listener, timing }: FileWatchOptions) {
    this.#listener = listener;
    this.#socket = new ReconnectingSocket({
      target: async (signal) => {
        const body = { kind: 'files' } as const;
        const { ticket } = await api.call('createTicket', { body, signal, timeoutMs: ticketTimeoutMs });
        return { url: api.socketUrl('watchFiles', {}), ticket };
      },
      openSocket,
      timing,
      onMessage: (data) => this.#receive(data),
      onState: ({ name }) => {
        if (name !== 'connected') return;
        this.#ask();
        if (this.#wasConnected) listener.onGap();
        this.#wasConnected = true;
      },
    });
  }

  /** From now on these, and no others. */
  watch(folders: readonly WatchedFolder[]): void {
    this.#folders = folders;
    if (folders.length === 0) {
      this.#wasConnected = false;
      this.#socket.close();
    } else if (this.#socket.state.name === 'connected') this.#ask();
    else this.#socket.connect();
  }

  /** The box runs again, or the machine woke up. */
  renew(): void {
    if (this.#folders.length > 0) this.#socket.renew();
  }

  close(): void {
    this.#socket.close();
  }

  #ask(): void {
    const request: WatchRequest = { type: 'watch', folders: [...this.#folders] };
    this.#socket.send(JSON.stringify(request));
  }

  #receive(data: Uint8Array | string): void {
    const message = parse(data);
    if (message === undefined) return;
    if (message === 'malformed') this.#listener.onGap();
    else if (message.type === 'changes') this.#listener.onChanges(message.changes);
    else if (message.type === 'manyChanges') this.#listener.onGap();
    else if (message.incomplete) this.#listener.onIncomplete?.();
  }
}

/** What a box says: checked like everything that comes from one. Undefined for a type that only a newer one knows. */
function parse(data: Uint8Array | string) {
  if (typeof data !== 'string') return 'malformed';
  try {
    const message = parseControl(data);
    if (!Object.hasOwn(watchMessages, message.type)) return undefined;
    const { changes, manyChanges, watching } = watchMessages;
    if (Value.Check(changes, message)) return message;
    if (Value.Check(manyChanges, message)) return message;
    return Value.Check(watching, message) ? message : 'malformed';
  } catch (error) {
    if (error instanceof SpoonError) return 'malformed';
    throw error;
  }
}
