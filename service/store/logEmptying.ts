import { setTimeout as delay } from 'node:timers/promises';

/** Longer, a backup reads; who erases does not wait for the end of that. */
const patienceMs = 5_000;
const firstPauseMs = 50;
const longestPauseMs = 2_000;

/** Empties the write-ahead log of what was erased, however long somebody still reads it. */
export class LogEmptying {
  readonly #checkpoint: () => Promise<boolean>;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  /** @param checkpoint empties it; false: somebody reads */
  constructor(checkpoint: () => Promise<boolean>) {
    this.#checkpoint = checkpoint;
  }

  /** Resolves when the log is empty, after 5 s where that takes longer. Never rejects: what was erased is committed. */
  async empty(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, this.#closing.signal]);
    await Promise.race([this.#running, delay(patienceMs, undefined, { signal }).catch(() => undefined)]);
    waiting.abort();
  }

  /** Whoever closes the last connection removes the log. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      // A full disk, too, is waited for.
      if (await this.#checkpoint().catch(() => false)) return;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
