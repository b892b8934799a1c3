import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Cgroups } from './cgroups.ts';
import type { BoxWatcher } from './engine.ts';
import { type BoxRecord, isRunning } from './processRecords.ts';

const pollMs = 500;
const memoryKillIsRecentMs = 5_000;

interface Known {
  readonly record: BoxRecord;
  exitCode: number | null;
  memoryKills: number;
  memoryKilledAt: number;
  ended: boolean;
}

/**
 * Looks every half second whether the known boxes still run, since a box that an earlier service started is nobody's
 * child; one of our own is noticed at once.
 */
export class ProcessWatch {
  readonly #cgroups: Cgroups | undefined;
  readonly #clear: (username: string) => Promise<void>;
  readonly #known = new Map<string, Known>();
  readonly #watchers = new Set<BoxWatcher>();
  #timer: NodeJS.Timeout | undefined;

  /** @param clear removes what an ended box left behind */
  constructor(cgroups: Cgroups | undefined, clear: (username: string) => Promise<void>) {
    this.#cgroups = cgroups;
    this.#clear = clear;
  }

  know(record: BoxRecord, child?: ChildProcess): void {
    const present = this.#known.get(record.username);
    if (present?.record.pid === record.pid && present.record.startTicks === record.startTicks) return;
    const known = { record, exitCode: null, memoryKills: 0, memoryKilledAt: Number.NEGATIVE_INFINITY, ended: false };
    this.#known.set(record.username, known);
    child?.once('exit', (code, signal) => {
      Object.assign(known, { exitCode: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) });
      this.#lookSafely(known);
    });
  }

  forget(username: string): void {
    this.#known.delete(username);
  }

  add(watcher: BoxWatcher): () => void {
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => {
      for (const known of this.#known.values()) this.#lookSafely(known);
    }, pollMs).unref();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watchers.clear();
  }

  #lookSafely(known: Known): void {
    // A look that fails (too many open files) is made up for by the next; a leftover is removed by the next start.
    this.#look(known).catch(() => undefined);
  }

  async #look(known: Known): Promise<void> {
    const { username } = known.record;
    const runs = await isRunning(known.record);
    const memoryKills = (await this.#cgroups?.memoryKills(username)) ?? 0;
    // Asked for, replaced, or seen by a look that began earlier.
    if (known.ended || this.#known.get(username) !== known) return;
    if (memoryKills > known.memoryKills) {
      Object.assign(known, { memoryKills, memoryKilledAt: performance.now() });
      for (const watcher of this.#watchers) watcher.onMemoryKill(username);
    }
    if (runs || this.#watchers.size === 0) return;
    known.ended = true;
    this.#known.delete(username);
    const lackedMemory = performance.now() - known.memoryKilledAt < memoryKillIsRecentMs;
    for (const watcher of this.#watchers) {
      watcher.onEnd({
        username,
        engineId: `${known.record.pid}-${known.record.startTicks}`,
        reason: lackedMemory ? 'out-of-memory' : 'exited',
        exitCode: known.exitCode,
      });
    }
    await this.#clear(username);
  }
}
