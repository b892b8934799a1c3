import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Packed, it is a file of its own beside the service (`scripts/packService.ts`). */
const workerFile = import.meta.url.endsWith('.ts') ? './checkpointWorker.ts' : './checkpointWorker.mjs';
/** So many saves share one that come close together; the log, which a start after a crash reads, stays small. */
const defaultDelayMs = 2_000;

/**
 * Brings what the write-ahead log holds into the database file, in a thread of its own: SQLite's own checkpoint is part of whichever
 * COMMIT fills the log, and writes and syncs a thousand pages while everybody waits.
 */
export class Checkpoints {
  readonly #file: string;
  readonly #delayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #worker: Worker | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(file: string, delayMs = defaultDelayMs) {
    this.#file = file;
    this.#delayMs = delayMs;
  }

  /** Something was committed. */
  soon(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#run());
    }, this.#delayMs).unref();
  }

  /** Resolves when none runs: two at once are busy for one another. */
  settle(): Promise<void> {
    return this.#running;
  }

  /** The last connection that closes removes the log, and that must not be the worker's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = once(worker, 'exit');
    // Else a process that has nothing more to do ends here, in the middle of closing.
    worker.ref();
    worker.postMessage('close');
    await exited;
  }

  /** One that fails is made up for by the next, and in the end by SQLite's own; that the disk is full, whoever writes is told. */
  async #run(): Promise<void> {
    const worker = this.#worker ?? this.#start();
    worker.ref();
    worker.postMessage('checkpoint');
    await once(worker, 'message').catch(() => {
      this.#worker = undefined;
    });
    worker.unref();
  }

  #start(): Worker {
    this.#worker = new Worker(new URL(workerFile, import.meta.url), {
      workerData: { file: this.#file },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    return this.#worker;
  }
}
