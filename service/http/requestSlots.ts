import { SpoonError } from '../../protocol/errors.ts';

/**
 * How many requests of one user are worked on at once; further ones wait in line, their bodies unread. Without it one user
 * with many connections that send or read slowly fills the service's memory: each may hold a whole file of 10 MiB.
 */
export class RequestSlots {
  readonly #perUser: number;
  readonly #maxWaiting: number;
  readonly #users = new Map<string, { taken: number; readonly waiting: Set<() => void> }>();

  constructor({ perUser, maxWaiting }: { perUser: number; maxWaiting: number }) {
    this.#perUser = perUser;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Resolves when it is this request's turn. It must give back, once; further calls do nothing.
   * @throws SpoonError `too-many-requests` when too many wait; the signal's reason
   */
  async take(userId: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const user = this.#users.get(userId) ?? { taken: 0, waiting: new Set() };
    this.#users.set(userId, user);
    if (user.taken < this.#perUser) user.taken++;
    else {
      if (user.waiting.size >= this.#maxWaiting) {
        throw new SpoonError('too-many-requests', 'Too many requests of yours are unfinished.', {
          extra: { retryAfterSeconds: 1 },
        });
      }
      await turn(user.waiting, signal);
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const [next] = user.waiting;
      if (next !== undefined) next();
      else if (--user.taken === 0) this.#users.delete(userId);
    };
  }
}

/** The slot is handed over without being free in between. */
async function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const mine = () => {
    waiting.delete(mine);
    resolve();
  };
  const giveUp = () => {
    // Whose turn it is already gives back by itself.
    if (waiting.delete(mine)) reject(signal.reason);
  };
  waiting.add(mine);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
