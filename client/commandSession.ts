import { SpoonError } from '../protocol/errors.ts';
import { maxFrameBytes, pipeCreditBytes, viewerCreditBytes } from '../protocol/limits.ts';
import { type CommandInput, closeCode, commandChannel, parseControl } from '../protocol/terminalFrames.ts';
import type { RunCommandRequest } from '../protocol/terminals.ts';
import type { ApiClient } from './apiClient.ts';
import type { OpenSocket, Socket, SocketEnd } from './socket.ts';
import { type CommandExit, parseCommandMessage } from './terminalMessages.ts';

/** Preparing starts the box where it is off. */
const prepareTimeoutMs = 180_000;
const maxChunkBytes = maxFrameBytes - 1;

export interface CommandPlace {
  readonly api: ApiClient;
  readonly openSocket: OpenSocket;
}

export interface CommandOutput {
  /** `endOffset` counts both channels together: give it to `acknowledge` once the bytes are passed on. */
  readonly onOutput: (channel: 'stdout' | 'stderr', bytes: Uint8Array, endOffset: number) => void;
}

export type CommandSignal = Extract<CommandInput, { type: 'signal' }>['name'];

/** A command without a terminal, from its start to its exit. It ends with its connection: there is nothing to come back to. */
export class CommandSession {
  /** Text of the service: not trusted. */
  readonly notes: readonly string[];
  /** Rejects with a `SpoonError` when the connection was lost or refused, and with the signal's reason when cancelled. */
  readonly exit: Promise<CommandExit>;
  readonly #output: CommandOutput;
  readonly #socket: Socket;
  readonly #settle: PromiseWithResolvers<CommandExit>;
  #isOpen = false;
  #isOver = false;
  #offset = 0;
  #sentAckOffset = 0;
  #stdinSent = 0;
  #stdinAcknowledged = 0;
  #pending: { bytes: Uint8Array; written: () => void }[] = [];
  #stdinEnded = false;

  private constructor(
    place: CommandPlace,
    prepared: { id: string; ticket: string; notes: string[] },
    output: CommandOutput,
    signal?: AbortSignal,
  ) {
    this.notes = prepared.notes;
    this.#output = output;
    this.#settle = Promise.withResolvers();
    this.exit = this.#settle.promise;
    // Whoever is still feeding stdin looks at the exit later; that is not an unhandled rejection.
    this.exit.catch(() => undefined);
    const target = { url: place.api.socketUrl('attachCommand', { id: prepared.id }), ticket: prepared.ticket };
    this.#socket = place.openSocket(target, {
      opened: () => this.#opened(),
      message: (data) => this.#receive(data),
      closed: (end) => this.#finish(() => this.#settle.reject(lost(place.api.host, end, this.#isOpen))),
    });
    signal?.addEventListener('abort', () => this.#finish(() => this.#settle.reject(signal.reason)), { once: true });
  }

  /**
   * Starts a command in the box, and the box where it is off.
   * @throws SpoonError what the service refuses it with
   */
  static async start(
    place: CommandPlace,
    request: RunCommandRequest,
    output: CommandOutput,
    signal?: AbortSignal,
  ): Promise<CommandSession> {
    const prepared = await place.api.call('runCommand', { body: request, signal, timeoutMs: prepareTimeoutMs });
    return new CommandSession(place, prepared, output, signal);
  }

  /** Resolves when all of it is on its way; that waits for the command to read. After its end, input is dropped. */
  async writeStdin(bytes: Uint8Array): Promise<void> {
    if (this.#isOver || bytes.length === 0) return;
    await new Promise<void>((written) => {
      this.#pending.push({ bytes, written });
      this.#pumpStdin();
    });
  }

  /** Closes the command's stdin after what was written before. */
  endStdin(): void {
    this.#stdinEnded = true;
    this.#pumpStdin();
  }

  signal(name: CommandSignal): void {
    if (this.#isOpen && !this.#isOver) this.#send({ type: 'signal', name });
  }

  /** Everything before `offset` has been passed on. */
  acknowledge(offset: number): void {
    if (this.#isOver || offset - this.#sentAckOffset < pipeCreditBytes / 4) return;
    this.#sentAckOffset = offset;
    this.#send({ type: 'ack', offset });
  }

  #opened(): void {
    if (this.#isOver) return;
    this.#isOpen = true;
    this.#send({ type: 'start', credit: pipeCreditBytes });
    this.#pumpStdin();
  }

  #send(message: CommandInput): void {
    this.#socket.send(JSON.stringify(message));
  }

  #pumpStdin(): void {
    if (!this.#isOpen || this.#isOver) return;
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const room = viewerCreditBytes - (this.#stdinSent - this.#stdinAcknowledged);
      const part = next.bytes.subarray(0, Math.min(room, maxChunkBytes));
      if (part.length === 0) return;
      const frame = new Uint8Array(part.length + 1);
      frame[0] = commandChannel.stdin;
      frame.set(part, 1);
      this.#socket.send(frame);
      this.#stdinSent += part.length;
      next.bytes = next.bytes.subarray(part.length);
      if (next.bytes.length > 0) continue;
      this.#pending.shift();
      next.written();
    }
    if (!this.#stdinEnded) return;
    this.#stdinEnded = false;
    this.#send({ type: 'stdinEnd' });
  }

  #receive(data: Uint8Array | string): void {
    if (this.#isOver) return;
    try {
      if (typeof data === 'string') this.#control(data);
      else this.#passOn(data);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      this.#finish(() => this.#settle.reject(error));
    }
  }

  #control(text: string): void {
    const message = parseCommandMessage(parseControl(text));
    if (message?.type === 'stdinAck') {
      this.#stdinAcknowledged = Math.min(this.#stdinSent, Math.max(this.#stdinAcknowledged, message.offset));
      this.#pumpStdin();
    } else if (message?.type === 'exit') {
      const { type: _, ...exit } = message;
      this.#finish(() => this.#settle.resolve(exit));
    }
  }

  #passOn(data: Uint8Array): void {
    const bytes = data.subarray(1);
    this.#offset += bytes.length;
    if (data[0] === commandChannel.stdout) this.#output.onOutput('stdout', bytes, this.#offset);
    else if (data[0] === commandChannel.stderr) this.#output.onOutput('stderr', bytes, this.#offset);
    else throw new SpoonError('box-misbehaved', 'Output came on a channel that does not exist.');
  }

  #finish(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    settle();
    for (const { written } of this.#pending.splice(0)) written();
    this.#socket.close();
  }
}

function lost(host: string, { status, code }: SocketEnd, wasOpen: boolean): SpoonError {
  if (code === closeCode.boxGone) return new SpoonError('box-stopped', 'The command ended with it.');
  if (code === closeCode.revoked) return new SpoonError('unauthenticated', 'The token was revoked.');
  if (status === 401) return new SpoonError('ticket-invalid');
  if (!wasOpen) return new SpoonError('service-unreachable', `${host} did not open the connection.`);
  return new SpoonError('connection-lost', 'The command was ended with it.');
}
