import type { BoxLoad } from '../../protocol/admin.ts';
import type { BoxUsage, EngineBox } from './engine.ts';

interface Sample {
  readonly engineId: string;
  readonly atMs: number;
  readonly cpuSeconds: number;
}

/** Sooner, the difference is of a few ticks of the kernel's clock, and says nothing. */
const shortestMs = 500;

/** From counters to a load: what was used since the last look, or since the start where there was none. */
export class LoadMeter {
  readonly #last = new Map<string, Sample>();
  readonly #shown = new Map<string, number>();
  readonly #now: () => number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  measure(userId: string, box: Pick<EngineBox, 'engineId' | 'startedMs'>, usage: BoxUsage, limit: number): BoxLoad {
    const atMs = this.#now();
    const known = this.#last.get(userId);
    const before = known?.engineId === box.engineId ? known : { atMs: box.startedMs, cpuSeconds: 0 };
    const elapsedMs = atMs - before.atMs;
    if (before !== known || elapsedMs >= shortestMs) {
      const usedMs = (usage.cpuSeconds - before.cpuSeconds) * 1000;
      this.#shown.set(userId, elapsedMs <= 0 ? 0 : Math.max(0, (usedMs / elapsedMs) * 100));
      this.#last.set(userId, { engineId: box.engineId, atMs, cpuSeconds: usage.cpuSeconds });
    }
    return {
      cpuPercent: Math.round(this.#shown.get(userId) ?? 0),
      memoryBytes: usage.memoryBytes,
      memoryLimitBytes: limit,
      processes: usage.processes,
    };
  }
}
