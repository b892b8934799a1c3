import { SpoonError } from '../../protocol/errors.ts';
import { HomeUsage } from '../../protocol/homeUsage.ts';
import { CopiedHome, HomeChanges } from '../../protocol/scratch.ts';
import type { BoxdCalls } from './boxdCall.ts';
import { copiedHomeAt } from './boxSpec.ts';

/** Longer than boxd itself counts. */
const usageMs = 30_000;
/** Gigabytes of small files. */
const copyMs = 600_000;
const maxChangesBytes = 16 * 1024 * 1024;

/** What the service asks of boxd about a home as a whole; copies are for scratch boxes alone. Errors as in {@link BoxdClient}. */
export class BoxdHome {
  readonly #calls: BoxdCalls;

  constructor(calls: BoxdCalls) {
    this.#calls = calls;
  }

  /** What takes the room in it. @throws SpoonError `box-outdated` */
  async usage(): Promise<HomeUsage> {
    try {
      return await this.#calls.json(HomeUsage, { method: 'GET', path: '/v1/home/usage', timeoutMs: usageMs });
    } catch (error) {
      // A boxd of protocol 1 has no such route.
      if (error instanceof SpoonError && error.code === 'not-found') throw new SpoonError('box-outdated');
      throw error;
    }
  }

  /** Makes the home the same as the one that is there to be copied. @throws SpoonError `home-too-large` */
  copy(maxBytes: number, signal: AbortSignal): Promise<CopiedHome> {
    const body = Buffer.from(JSON.stringify({ from: copiedHomeAt, maxBytes }));
    return this.#calls.json(CopiedHome, { method: 'POST', path: '/v1/home/copy', body, timeoutMs: copyMs, signal });
  }

  /** What has become of the copy since. */
  compare(sinceMs: number, signal: AbortSignal): Promise<HomeChanges> {
    const body = Buffer.from(JSON.stringify({ with: copiedHomeAt, sinceMs }));
    const call = { method: 'POST', path: '/v1/home/compare', body, timeoutMs: copyMs, signal } as const;
    return this.#calls.json(HomeChanges, { ...call, maxBytes: maxChangesBytes });
  }
}
