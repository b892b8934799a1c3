import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobEnd, JobOutput } from '../../protocol/boxdJobs.ts';
import { maxJobBatchBytes } from '../../protocol/limits.ts';
import { createMasker } from '../../protocol/maskSecrets.ts';
import { endProcesses } from '../processes/endProcesses.ts';
import { MaskedOutput } from '../processes/maskedOutput.ts';
import { ByteRing } from '../terminals/byteRing.ts';
import { PseudoTerminal } from '../terminals/pseudoTerminal.ts';
import type { CheckoutChanges } from './checkoutChanges.ts';

/** What a service that was away can still have; a job does not wait for one. */
const keptBytes = 4 * 1024 * 1024;
/** A service that is there sets the pace: the job pauses while so much is unread. */
const maxUnreadBytes = 1024 * 1024;
/** Without a question for so long, the service is away. It asks again as soon as it has an answer. */
const awayMs = 3_000;
/** An answer without news, well within the time that the service gives one. */
const pollMs = 10_000;
/** From SIGTERM to SIGKILL. */
export const jobGraceMs = 5_000;
/** Logs are read in windows of any width; agents break their lines at this one. */
const size = { columns: 120, rows: 40 };

export interface JobSpec {
  readonly id: string;
  /** `{spoon}/{branch}` */
  readonly thread: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** `NAME=value` in that environment. */
  readonly marker: string;
  readonly timeLimitMs: number;
  /** What the log must not hold. */
  readonly secrets: readonly string[];
  readonly changes: CheckoutChanges | undefined;
}

/**
 * One agent run: its output in a ring without its secrets, and at the end what it did in the checkout. It has a terminal to write to,
 * so that it writes in colours, and nothing to read from.
 */
export class Job {
  readonly id: string;
  readonly thread: string;
  readonly #spec: JobSpec;
  readonly #ring = new ByteRing(keptBytes);
  readonly #output: MaskedOutput;
  readonly #over = Promise.withResolvers<void>();
  #pty: PseudoTerminal | undefined;
  #readOffset = 0;
  #away: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #changed = Promise.withResolvers<void>();
  #why: JobEnd['why'] = 'by-itself';
  #ending: Promise<void> | undefined;
  #end: JobEnd | undefined;
  #diff: Buffer = Buffer.alloc(0);

  private constructor(spec: JobSpec) {
    this.id = spec.id;
    this.thread = spec.thread;
    this.#spec = spec;
    this.#output = new MaskedOutput(spec.secrets, (chunk) => this.#ring.write(chunk));
  }

  /** @param onError a bug while its end was being dealt with */
  static async start(spec: JobSpec, onError: (error: unknown) => void): Promise<Job> {
    const job = new Job(spec);
    const events = {
      onData: (chunk: Buffer) => job.#onData(chunk),
      onExit: (exit: { code: number; signal: string | null }) => void job.#finish(exit).catch(onError),
    };
    // The shell only takes the terminal away as input and becomes the program; the arguments are no text to it.
    const args = ['-c', 'exec "$@" </dev/null', spec.argv[0] ?? '', ...spec.argv];
    const { cwd, environment } = spec;
    job.#pty = await PseudoTerminal.start({ file: '/bin/sh', args, cwd, environment, ...size }, events);
    job.#limit = setTimeout(() => void job.#endBecause('time-limit').catch(onError), spec.timeLimitMs);
    return job;
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  get diff(): Buffer {
    return this.#diff;
  }

  /** What there is from an offset on, as soon as there is something, or nothing after a while. */
  async read(from: number): Promise<{ head: JobOutput; bytes: Buffer }> {
    this.#readOffset = Math.max(this.#readOffset, Math.min(from, this.#ring.end));
    this.#steer();
    if (from >= this.#ring.end && !this.ended) {
      const late = new AbortController();
      await Promise.race([
        this.#changed.promise,
        delay(pollMs, undefined, { signal: late.signal, ref: false }).catch(() => undefined),
      ]);
      late.abort();
    }
    this.#watchReader();
    const start = Math.min(Math.max(from, this.#ring.start), this.#ring.end);
    const bytes = this.#ring.copy(start, Math.min(this.#ring.end, start + maxJobBatchBytes));
    return { head: { from: start, totalBytes: this.#ring.end, end: this.#end ?? null }, bytes };
  }

  /** Begins to end it. */
  cancel(): void {
    void this.#endBecause('cancelled').catch(() => undefined);
  }

  /** Ends it; resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (!this.ended) await this.#endBecause('cancelled');
    await this.#over.promise;
  }

  #onData(chunk: Buffer): void {
    this.#output.add(chunk);
    this.#tell();
    this.#steer();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Reads no more from the program while the service is behind, but never because it is away. */
  #steer(): void {
    const isBehind = this.#ring.end - this.#readOffset > maxUnreadBytes;
    if (isBehind && this.#away !== undefined) this.#pty?.pause();
    else this.#pty?.resume();
  }

  #watchReader(): void {
    clearTimeout(this.#away);
    if (this.ended) return;
    this.#away = setTimeout(() => {
      this.#away = undefined;
      this.#steer();
    }, awayMs);
  }

  async #endBecause(why: JobEnd['why']): Promise<void> {
    if (this.#ending === undefined) {
      this.#why = why;
      this.#ending = this.#endProcesses();
      // What it still prints must not hold it.
      this.#pty?.resume();
    }
    await this.#ending;
  }

  async #endProcesses(): Promise<void> {
    if (this.#pty === undefined) return;
    await endProcesses(this.#pty.pid, this.#spec.marker, jobGraceMs, 'SIGTERM');
  }

  /** The agent has ended; what it left behind ends too (decision 12). */
  async #finish({ code, signal }: { code: number; signal: string | null }): Promise<void> {
    const endedMs = Date.now();
    clearTimeout(this.#limit);
    const { changes, secrets, cwd } = this.#spec;
    await this.#ending;
    await this.#endProcesses();
    this.#output.end();
    const notes: string[] = [];
    let found: Awaited<ReturnType<CheckoutChanges['end']>> | undefined;
    try {
      found = await changes?.end(createMasker(secrets));
    } catch {
      if (existsSync(cwd)) notes.push('Git could not say what changed in the folder.');
    }
    if (!existsSync(cwd)) notes.push('The folder of the thread is gone.');
    changes?.close();
    this.#diff = found?.diff ?? this.#diff;
    this.#end = { exitCode: code, signal, why: this.#why, endedMs, changes: found?.changes ?? null, notes };
    clearTimeout(this.#away);
    this.#tell();
    this.#over.resolve();
  }
}
