import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Packed, it is a file of its own beside the service (`scripts/packService.ts`). */
const workerFile = import.meta.url.endsWith('.ts') ? './checkpointWorker.ts' : './checkpointWorker.mjs';
/** So many saves share one that come close together; the log, which a start after a crash reads, stays small. */
const defaultDelayMs = 2_000;

interface Options {
  readonly delayMs?: number;
  /** Only tests have another. */
  readonly startWorker?: () => Worker;
}

/**
 * Brings what the write-ahead log holds into the database file, in a thread of its own: SQLite's own checkpoint is part of whichever
 * COMMIT fills the log, and writes and syncs a thousand pages while everybody waits.
 */
export class LogCheckpoints {
  readonly #delayMs: number;
  readonly #startWorker: () => Worker;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #worker: Worker | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(file: string, { delayMs = defaultDelayMs, startWorker }: Options = {}) {
    this.#delayMs = delayMs;
    this.#startWorker =
      startWorker ??
      (() =>
        new Worker(new URL(workerFile, import.meta.url), {
          workerData: { file },
          resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
        }));
  }

  /** Something was committed. */
  soon(): void {
    if (this.#isClosed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.#run());
    }, this.#delayMs).unref();
  }

  /** Resolves when none runs: two at once are busy for one another. Until the end of the turn of the event loop none begins. */
  async settle(): Promise<void> {
    let seen: Promise<void>;
    do {
      seen = this.#running;
      await seen;
    } while (seen !== this.#running);
  }

  /** The last connection that closes removes the log, and that must not be the worker's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.settle();
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = endOf(worker);
    // Else a process that has nothing more to do ends here, in the middle of closing.
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  /** Never rejects: one that fails is made up for by the next, and in the end by SQLite's own; that the disk is full, whoever writes is told. */
  async #run(): Promise<void> {
    let worker: Worker;
    try {
      worker = this.#worker ?? this.#start();
    } catch {
      // The kernel has no thread to give.
      return;
    }
    const ended = new AbortController();
    worker.ref();
    worker.postMessage('checkpoint');
    await Promise.race([
      once(worker, 'message', { signal: ended.signal }).catch(() => undefined),
      endOf(worker, ended.signal),
    ]);
    ended.abort();
    worker.unref();
  }

  #start(): Worker {
    const worker = this.#startWorker();
    this.#worker = worker;
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined;
    };
    worker.once('exit', forget);
    worker.once('error', forget);
    return worker;
  }
}

async function endOf(worker: Worker, signal?: AbortSignal): Promise<void> {
  await once(worker, 'exit', signal === undefined ? {} : { signal }).catch(() => undefined);
}
