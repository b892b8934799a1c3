/** The sign-ins that this window waits for. A link with a code is of interest only if it names the state of one of them. */
export class AwaitedCodes {
  readonly #waiting = new Map<string, (code: string) => void>();

  has(state: string): boolean {
    return this.#waiting.has(state);
  }

  /** Each state is answered once: a link that comes again is ignored. */
  finish(state: string, code: string): void {
    this.#waiting.get(state)?.(code);
    this.#waiting.delete(state);
  }

  /** @throws the signal's reason when it is aborted */
  async wait(state: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting.set(state, resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    } finally {
      this.#waiting.delete(state);
    }
  }
}
