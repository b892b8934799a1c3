import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface LogSyncParts {
  readonly log: Pick<FileHandle, 'datasync'>;
  /**
   * Makes everything durable by another way; false: not now. A failed sync may have dropped pages, and the next would not tell
   * (https://wiki.postgresql.org/wiki/Fsync_Errors), so this alone counts then.
   */
  readonly repair: () => Promise<boolean>;
  /** What was committed cannot be brought to the disk. Who waits for it is never answered: the process is to end. */
  readonly onLost: (fault: unknown) => void;
  /** How long `repair` is tried, and how long is waited in between. */
  readonly patienceMs?: number;
  readonly pauseMs?: number;
}

/**
 * Brings the write-ahead log to the disk in a thread of libuv's, as SQLite would within COMMIT while nothing else runs. One that is
 * asked for while another runs begins when that has ended, and serves all who have asked by then.
 */
export class LogSync {
  readonly #parts: LogSyncParts;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(parts: LogSyncParts) {
    this.#parts = parts;
  }

  /** Resolves when what was committed before the call is on the disk. Never rejects: what is committed cannot be taken back. */
  sync(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  /** Resolves when nothing runs any more. */
  async settle(): Promise<void> {
    await (this.#next ?? this.#running);
  }

  async #after(before: Promise<void>): Promise<void> {
    await before;
    // Whoever commits from here on may be too late for this one.
    this.#running = this.#next ?? before;
    this.#next = undefined;
    try {
      await this.#parts.log.datasync();
    } catch (fault) {
      await this.#repair(fault);
    }
  }

  async #repair(fault: unknown): Promise<void> {
    const { repair, onLost, patienceMs = 10_000, pauseMs = 100 } = this.#parts;
    const deadline = performance.now() + patienceMs;
    let last = fault;
    do {
      try {
        if (await repair()) return;
      } catch (error) {
        last = error;
      }
      await delay(pauseMs);
    } while (performance.now() < deadline);
    onLost(last);
    await new Promise<never>(() => {});
  }
}
