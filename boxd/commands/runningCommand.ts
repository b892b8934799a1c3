import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { closePipes, type StandardPipes } from './realPipes.ts';
import { explainStartFailure } from './startFailure.ts';

/** A process left in the background may hold the output open; after this long without a byte it is not waited for. */
const lingerMs = 1_000;

export interface CommandSpec {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly pipes: StandardPipes | undefined;
}

export interface CommandEnd {
  readonly code: number;
  readonly signal: string | null;
  readonly detail?: string;
}

export interface CommandEvents {
  onOutput(channel: 'stdout' | 'stderr', bytes: Buffer): void;
  /** The program has taken so many bytes of input, counted from the start. */
  onInputTaken(offset: number): void;
  /** Once, after all output. */
  onEnd(end: CommandEnd): void;
}

/** One program without a terminal, leader of its own session and process group. */
export class RunningCommand {
  readonly #events: CommandEvents;
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  readonly #outputs: readonly Readable[];
  #takenBytes = 0;
  #pendingBytes = 0;
  #openOutputs = 0;
  #paused = false;
  #linger: NodeJS.Timeout | undefined;
  #end: CommandEnd | undefined;
  #done = false;

  constructor(spec: CommandSpec, events: CommandEvents) {
    this.#events = events;
    const { argv, cwd, environment, pipes } = spec;
    const [program = '', ...args] = argv;
    const stdio = pipes && [pipes.stdin.childs, pipes.stdout.childs, pipes.stderr.childs];
    this.#child = spawn(program, args, { cwd, env: environment, detached: true, stdio: stdio ?? 'pipe' });
    if (pipes) closePipes(pipes, 'childs');
    this.#stdin = this.#child.stdin ?? pipeEnd(pipes?.stdin.ours, 'writable');
    const stdout = this.#child.stdout ?? pipeEnd(pipes?.stdout.ours, 'readable');
    const stderr = this.#child.stderr ?? pipeEnd(pipes?.stderr.ours, 'readable');
    this.#outputs = [stdout, stderr];
    // A program that does not read its input is not an error; what was sent to it is just gone.
    this.#stdin.on('error', () => {});
    this.#listen(stdout, 'stdout');
    this.#listen(stderr, 'stderr');
    this.#child.once('error', (error: NodeJS.ErrnoException) => {
      if (this.#child.pid !== undefined) return;
      const where = { program, cwd, searchPath: environment.PATH ?? '' };
      this.#onExit({ ...explainStartFailure(error.code, where), signal: null });
    });
    this.#child.once('exit', (code, signal) => {
      const number = signal === null ? 0 : (constants.signals[signal] ?? 0);
      this.#onExit({ code: code ?? 128 + number, signal });
    });
  }

  /** Process id, session and process group; `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Input that the program has not taken, in bytes. */
  get pendingInputBytes(): number {
    return this.#pendingBytes;
  }

  write(bytes: Buffer): void {
    this.#pendingBytes += bytes.length;
    this.#stdin.write(bytes, () => {
      // Also called with an error: those bytes will never be taken, and the sender need not wait for that.
      this.#pendingBytes -= bytes.length;
      this.#takenBytes += bytes.length;
      this.#events.onInputTaken(this.#takenBytes);
    });
  }

  endInput(): void {
    this.#stdin.end();
  }

  pause(): void {
    this.#paused = true;
    clearTimeout(this.#linger);
    for (const output of this.#outputs) output.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const output of this.#outputs) output.resume();
    this.#restartLinger();
  }

  /** To the whole process group, as Ctrl-C in a terminal does. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid === undefined || this.#end !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #listen(output: Readable, channel: 'stdout' | 'stderr'): void {
    this.#openOutputs++;
    output.on('data', (bytes: Buffer) => {
      this.#events.onOutput(channel, bytes);
      this.#restartLinger();
    });
    output.on('error', () => {});
    output.once('close', () => {
      this.#openOutputs--;
      this.#finishWhenDrained();
    });
  }

  #onExit(end: CommandEnd): void {
    this.#end ??= end;
    this.#stdin.destroy();
    this.#restartLinger();
    this.#finishWhenDrained();
  }

  #restartLinger(): void {
    if (this.#end === undefined || this.#paused || this.#done) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => {
      for (const output of this.#outputs) output.destroy();
    }, lingerMs);
  }

  #finishWhenDrained(): void {
    if (this.#end === undefined || this.#openOutputs > 0 || this.#done) return;
    this.#done = true;
    clearTimeout(this.#linger);
    this.#events.onEnd(this.#end);
  }
}

function pipeEnd(fd: number | undefined, side: 'readable' | 'writable'): Socket {
  if (fd === undefined) throw new Error('a command without standard streams');
  return new Socket({ fd, readable: side === 'readable', writable: side === 'writable' });
}
