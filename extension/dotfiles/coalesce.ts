/**
 * Collects what comes in a burst: the first is told at once, what follows within the pause together at its end. A thousand
 * files that arrive one by one are a few updates of a view, and one file is there immediately.
 */
export class Coalesce<T> {
  readonly #pauseMs: number;
  readonly #tell: (items: readonly T[]) => void;
  #waiting: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pauseMs: number, tell: (items: readonly T[]) => void) {
    this.#pauseMs = pauseMs;
    this.#tell = tell;
  }

  add(item: T): void {
    this.#waiting.push(item);
    if (this.#timer === undefined) this.#flush();
  }

  /** Forgets what waits. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const items = this.#waiting;
    this.#waiting = [];
    this.#timer = setTimeout(() => this.#flush(), this.#pauseMs);
    this.#tell(items);
  }
}
