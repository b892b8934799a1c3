import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';

/**
 * How long a box that runs may leave every question unanswered before it is ended, and all its terminals with it. A busy
 * machine makes a box slow for many seconds; a dead one is told by the engine at once.
 */
export const unansweringMs = 30_000;

const askAgainMs = 200;

interface Patience {
  readonly patienceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks again while the box gives no answer.
 * @throws SpoonError `box-unavailable` after `patienceMs`, a monotonic time; any other failure at once; the signal's reason
 */
export async function untilAnswered<T>(ask: () => Promise<T>, { patienceMs, signal }: Patience): Promise<T> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isSilence = error instanceof SpoonError && error.code === 'box-unavailable';
      if (!isSilence || performance.now() > endMs) throw error;
    }
    signal?.throwIfAborted();
    await delay(askAgainMs);
  }
}
