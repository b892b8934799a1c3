import type { FileHandle } from 'node:fs/promises';

/**
 * Brings the write-ahead log to the disk in a thread of libuv's, as SQLite would within COMMIT while nothing else runs. One that is
 * asked for while another runs begins when that has ended, and serves all who have asked by then.
 */
export class LogSync {
  readonly #log: Pick<FileHandle, 'datasync'>;
  readonly #repair: (fault: unknown) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #fault: unknown;

  /**
   * @param repair makes everything durable by another way. A failed sync may have dropped pages, and the next would not tell
   *   (https://wiki.postgresql.org/wiki/Fsync_Errors): from then on only this counts, until it succeeds
   */
  constructor(log: Pick<FileHandle, 'datasync'>, repair: (fault: unknown) => Promise<void>) {
    this.#log = log;
    this.#repair = repair;
  }

  /** Resolves when what was committed before the call is on the disk. @throws what `repair` throws */
  sync(): Promise<void> {
    this.#next ??= this.#after(this.#running);
    return this.#next;
  }

  /** Resolves when nothing runs any more. */
  async settle(): Promise<void> {
    await (this.#next ?? this.#running).catch(() => undefined);
  }

  async #after(before: Promise<void>): Promise<void> {
    // How that one ended is told to those who wait for it.
    await before.catch(() => undefined);
    // Whoever commits from here on may be too late for this one.
    this.#running = this.#next ?? before;
    this.#next = undefined;
    if (this.#fault === undefined) {
      try {
        await this.#log.datasync();
        return;
      } catch (error) {
        this.#fault = error;
      }
    }
    await this.#repair(this.#fault);
    this.#fault = undefined;
  }
}
