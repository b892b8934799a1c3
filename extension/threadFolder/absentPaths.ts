const goodForMs = 3_000;

/**
 * What was not there when it was asked for. Opening a folder makes VS Code and its extensions ask for hundreds of names
 * (`.vscode/tasks.json`, `.git`, `pom.xml`, …), again and again; the answer is good for a moment, or
 * until a change is told: not every folder of a checkout is watched. No VS Code in here.
 */
export class AbsentPaths {
  /** Until when, by path. */
  readonly #paths = new Map<string, number>();
  readonly #max: number;
  readonly #now: () => number;

  constructor({ max = 2_000, now = () => performance.now() }: { max?: number; now?: () => number } = {}) {
    this.#max = max;
    this.#now = now;
  }

  add(path: string): void {
    if (this.#paths.size >= this.#max) this.#paths.clear();
    this.#paths.set(path, this.#now() + goodForMs);
  }

  has(path: string): boolean {
    const untilMs = this.#paths.get(path);
    if (untilMs !== undefined && untilMs <= this.#now()) this.#paths.delete(path);
    return this.#paths.has(path);
  }

  /** Something came to be there, or above it. */
  forget(path: string): void {
    for (const absent of this.#paths.keys())
      if (absent === path || absent.startsWith(`${path}/`)) this.#paths.delete(absent);
  }

  clear(): void {
    this.#paths.clear();
  }
}
