/** Work under the same key runs one after another, in the order it was asked for; keys do not wait for each other. */
export class InTurn {
  readonly #last = new Map<string, Promise<void>>();

  /** @param signal ends the waiting; the work sees to itself */
  async run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, done);
    done.finally(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
    try {
      await orAborted(before, signal);
      return await work();
    } finally {
      // Who gave up waiting lets nobody else in before its turn.
      before.then(resolve);
    }
  }
}

async function orAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
