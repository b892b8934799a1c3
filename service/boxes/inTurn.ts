import { rejectedBy } from './rejectedBy.ts';

/** Work under the same key runs one after another, in the order it was asked for; keys do not wait for each other. */
export class InTurn {
  readonly #last = new Map<string, Promise<void>>();

  /** @param signal ends the waiting with its reason; the work sees to itself */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, done);
    const end = (): void => {
      resolve();
      if (this.#last.get(key) === done) this.#last.delete(key);
    };
    try {
      await (signal === undefined ? before : Promise.race([before, rejectedBy(signal)]));
      return await work();
    } finally {
      // Who gave up waiting lets nobody else in before its turn.
      void before.then(end);
    }
  }
}
