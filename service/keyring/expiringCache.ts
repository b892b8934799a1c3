/** What is kept in the clear for speed, and for how much and how long at most (security.md 2.7). */
export interface CacheLimits<V> {
  /** Sum of `weigh` over all entries; the least recently used go first. */
  readonly maxWeight: number;
  /** Default: every entry weighs 1. */
  readonly weigh?: (value: V) => number;
  /** Since the last use. */
  readonly lifeMs: number;
  /** What leaves, in any way. */
  readonly onDrop?: (value: V) => void;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
  expiresMs: number;
}

export class ExpiringCache<V> {
  readonly #limits: CacheLimits<V>;
  readonly #now: () => number;
  /** Used last comes last. */
  readonly #entries = new Map<string, Entry<V>>();
  #weight = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now a clock that never goes back, in milliseconds */
  constructor(limits: CacheLimits<V>, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(name: string): V | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const now = this.#now();
    if (entry.expiresMs <= now) {
      this.drop(name);
      return undefined;
    }
    entry.expiresMs = now + this.#limits.lifeMs;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.value;
  }

  put(name: string, value: V): void {
    this.drop(name);
    const weight = this.#limits.weigh?.(value) ?? 1;
    this.#entries.set(name, { value, weight, expiresMs: this.#now() + this.#limits.lifeMs });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      // The newest stays, however heavy: its maker is about to use it.
      if (this.#weight <= this.#limits.maxWeight || oldest === name) break;
      this.drop(oldest);
    }
    this.#scheduleSweep();
  }

  drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#weight -= entry.weight;
    this.#limits.onDrop?.(entry.value);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const name of [...this.#entries.keys()]) this.drop(name);
  }

  /** Drops what is too old, also when nobody asks for it any more. */
  sweep(): void {
    const now = this.#now();
    for (const [name, { expiresMs }] of [...this.#entries]) if (expiresMs <= now) this.drop(name);
  }

  #scheduleSweep(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.sweep();
      if (this.#entries.size > 0) this.#scheduleSweep();
    }, this.#limits.lifeMs / 15);
    this.#timer.unref();
  }
}
