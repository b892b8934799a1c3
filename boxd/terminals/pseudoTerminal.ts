import { readSync, writeSync } from 'node:fs';
import type { SocketConstructorOpts } from 'node:net';
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';

/**
 * One shell on a pseudo-terminal. Uses node-pty's native part and not its `spawn`, for three reasons found in its
 * unixTerminal.js: it drops output that is unread 200 ms after the shell's end, it writes through the thread pool
 * (0.1 ms per keystroke), and it spins on a full input queue.
 */

interface NativePty {
  fork(
    file: string,
    args: readonly string[],
    environment: readonly string[],
    cwd: string,
    columns: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    helperPath: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number };
  resize(fd: number, columns: number, rows: number, widthPixels: number, heightPixels: number): void;
}

export interface PseudoTerminalOptions {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly columns: number;
  readonly rows: number;
}

export interface PseudoTerminalEvents {
  /** The bytes are there for the time of the call. */
  onData(chunk: Buffer): void;
  /** Once, after the last byte of output. */
  onExit(exit: { code: number; signal: string | null }): void;
}

/** Input that the programs in the terminal have not taken yet; a person's paste is far below it. */
const maxPendingInputBytes = 16 * 1024 * 1024;
const maxDrainBytes = 128 * 1024;
const firstRetryMs = 1;
const maxRetryMs = 100;
const keepIds = -1;

/** The kernel hands out 4 KiB at a time; what has gathered meanwhile is more. */
const readBytes = 64 * 1024;

let native: NativePty | undefined;

async function loadNative(): Promise<NativePty> {
  // Not in node-pty's types. The version is pinned; pseudoTerminal.test.ts notices if it goes away.
  native ??= ((await import('node-pty')) as unknown as { native: NativePty }).native;
  return native;
}

export class PseudoTerminal {
  readonly pid: number;
  readonly #fd: number;
  readonly #stream: ReadStream;
  readonly #native: NativePty;
  readonly #events: PseudoTerminalEvents;
  #input: Buffer[] = [];
  #inputBytes = 0;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = firstRetryMs;
  #paused = false;
  #exit: { code: number; signal: string | null } | undefined;
  #finished = false;

  private constructor(nativePty: NativePty, options: PseudoTerminalOptions, events: PseudoTerminalEvents) {
    this.#native = nativePty;
    this.#events = events;
    const environment = Object.entries(options.environment).map(([name, value]) => `${name}=${value}`);
    const { file, args, cwd, columns, rows } = options;
    const onExit = (code: number, signal: number) => this.#onProcessExit(code, signal);
    const started = nativePty.fork(file, args, environment, cwd, columns, rows, keepIds, keepIds, true, '', onExit);
    this.pid = started.pid;
    this.#fd = started.fd;
    this.#stream = new ReadStream(
      started.fd,
      readsInto((chunk) => this.#onData(chunk)),
    );
    // EIO says that the last process has let go of the terminal (tty(4)); 'close' follows every error.
    this.#stream.on('error', () => {});
    this.#stream.on('close', () => this.#finishWhenDrained());
    this.#stream.resume();
  }

  /** @throws Error when the kernel has no pseudo-terminal or process left */
  static async start(options: PseudoTerminalOptions, events: PseudoTerminalEvents): Promise<PseudoTerminal> {
    return new PseudoTerminal(await loadNative(), options, events);
  }

  /**
   * Whether the descriptor is still ours. Asked before every use of it: the kernel gives its number to the next file or
   * socket as soon as the stream is destroyed, well before 'close' is told.
   */
  get #isOpen(): boolean {
    return !this.#stream.destroyed;
  }

  /** False when so much input waits already that this one was not taken. */
  write(bytes: Buffer): boolean {
    if (!this.#isOpen || bytes.length === 0) return true;
    if (this.#inputBytes + bytes.length > maxPendingInputBytes) return false;
    this.#input.push(bytes);
    this.#inputBytes += bytes.length;
    if (this.#retry === undefined) this.#flushInput();
    return true;
  }

  resize(columns: number, rows: number): void {
    if (this.#isOpen) this.#native.resize(this.#fd, columns, rows, 0, 0);
  }

  pause(): void {
    if (this.#paused || !this.#isOpen || this.#exit !== undefined) return;
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  }

  #onData(chunk: Buffer): void {
    this.#events.onData(chunk);
    // Output is the best sign that the other side has taken input.
    if (this.#retry !== undefined) this.#flushInput();
  }

  #flushInput(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    while (this.#isOpen) {
      const first = this.#input[0];
      if (first === undefined) break;
      let written: number;
      try {
        written = writeSync(this.#fd, first);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
          this.#retryInput();
          return;
        }
        this.#input = [];
        this.#inputBytes = 0;
        return;
      }
      this.#inputBytes -= written;
      this.#retryMs = firstRetryMs;
      if (written === first.length) this.#input.shift();
      else this.#input[0] = first.subarray(written);
    }
  }

  /** Node cannot wait for "writable" on a terminal's master (libuv writes to it blockingly): ask again, ever less often. */
  #retryInput(): void {
    this.#retry = setTimeout(() => this.#flushInput(), this.#retryMs);
    this.#retryMs = Math.min(maxRetryMs, this.#retryMs * 2);
  }

  #onProcessExit(code: number, signal: number): void {
    const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? null;
    this.#exit = { code: signal === 0 ? code : 128 + signal, signal: name };
    // What the kernel still holds is at most 64 KiB: taken at once, so that a dead shell is not kept by a slow viewer.
    this.resume();
    this.#finishWhenDrained();
  }

  /**
   * A process left in the background may hold the terminal open for ever, but the kernel hangs it up with its session
   * leader (`disassociate_ctty`), so nothing follows once it reads empty; only somebody who opens its name again could
   * write on, hence the bound.
   */
  #finishWhenDrained(): void {
    if (this.#exit === undefined || this.#finished) return;
    const buffer = Buffer.allocUnsafe(16 * 1024);
    for (let drained = 0; this.#isOpen && drained < maxDrainBytes; ) {
      let count = 0;
      try {
        count = readSync(this.#fd, buffer);
      } catch {
        // EAGAIN: empty. EIO: empty, and everybody has let go.
      }
      if (count === 0) break;
      drained += count;
      this.#events.onData(buffer.subarray(0, count));
    }
    this.#finished = true;
    clearTimeout(this.#retry);
    this.#stream.destroy();
    this.#events.onExit(this.#exit);
  }
}

/**
 * Reads land in one buffer for all time. Node's own way makes 64 KiB for each 4 KiB that the kernel hands out, and during a
 * flood spends nearly half of its time on throwing them away.
 */
function readsInto(onData: (chunk: Buffer) => void): SocketConstructorOpts {
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  return {
    onread: {
      buffer,
      callback(bytes) {
        onData(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
}
