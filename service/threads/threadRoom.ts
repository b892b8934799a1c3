import { SpoonError } from '../../protocol/errors.ts';
import { maxThreadsPerUser } from '../../protocol/limits.ts';

/** Holds the limit on threads also while several are being made, each of which is stored when its checkout is there. */
export class ThreadRoom {
  readonly #making = new Map<string, number>();

  /**
   * A place for one that is being made, until it is disposed of.
   * @param count how many are stored
   * @throws SpoonError `thread-limit`
   */
  async take(userId: string, count: () => Promise<number>): Promise<Disposable> {
    this.#add(userId, 1);
    try {
      const stored = await count();
      if (stored + this.#of(userId) > maxThreadsPerUser) {
        throw new SpoonError('thread-limit', `At most ${maxThreadsPerUser}.`);
      }
    } catch (error) {
      this.#add(userId, -1);
      throw error;
    }
    return { [Symbol.dispose]: () => this.#add(userId, -1) };
  }

  #of(userId: string): number {
    return this.#making.get(userId) ?? 0;
  }

  #add(userId: string, change: number): void {
    const making = this.#of(userId) + change;
    if (making === 0) this.#making.delete(userId);
    else this.#making.set(userId, making);
  }
}
