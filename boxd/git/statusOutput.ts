/** Reads `git status --porcelain=v2 --branch -z` piece by piece, so that a million files cost no memory (git-status(1)). */
export class StatusOutput {
  /** Null while none is checked out. */
  branch: string | null = null;
  hasCommits = true;
  ahead: number | null = null;
  behind: number | null = null;
  upstream: string | null = null;
  readonly unsaved: string[] = [];
  unsavedCount = 0;
  readonly ignored: string[] = [];
  ignoredCount = 0;
  readonly #maxEntries: number;
  readonly #maxNames: number;
  #rest: Buffer = Buffer.alloc(0);
  #skipNext = false;

  constructor({ maxEntries, maxNames }: { maxEntries: number; maxNames: number }) {
    this.#maxEntries = maxEntries;
    this.#maxNames = maxNames;
  }

  get isFull(): boolean {
    return this.unsavedCount + this.ignoredCount >= this.#maxEntries;
  }

  /** @returns whether it wants more */
  add(chunk: Buffer): boolean {
    let text = Buffer.concat([this.#rest, chunk]);
    for (let end = text.indexOf(0); end >= 0 && !this.isFull; end = text.indexOf(0)) {
      this.#entry(text.toString('utf8', 0, end));
      text = text.subarray(end + 1);
    }
    this.#rest = text;
    return !this.isFull;
  }

  #entry(entry: string): void {
    if (this.#skipNext) {
      // The former name of what was renamed.
      this.#skipNext = false;
      return;
    }
    if (entry.startsWith('# ')) {
      this.#header(entry.slice(2));
      return;
    }
    const kind = entry[0];
    this.#skipNext = kind === '2';
    const path =
      kind === '?' || kind === '!'
        ? entry.slice(2)
        : entry
            .split(' ')
            .slice(pathFields[kind ?? ''] ?? 8)
            .join(' ');
    if (kind === '!') {
      this.ignoredCount++;
      if (this.ignored.length < this.#maxNames) this.ignored.push(path);
      return;
    }
    this.unsavedCount++;
    if (this.unsaved.length < this.#maxNames) this.unsaved.push(path);
  }

  #header(text: string): void {
    const [name, ...rest] = text.split(' ');
    const value = rest.join(' ');
    if (name === 'branch.oid') this.hasCommits = value !== '(initial)';
    if (name === 'branch.head') this.branch = value === '(detached)' ? null : value;
    if (name === 'branch.upstream') this.upstream = value;
    const counts = name === 'branch.ab' ? /^\+(\d+) -(\d+)$/.exec(value) : null;
    if (counts === null) return;
    this.ahead = Number(counts[1]);
    this.behind = Number(counts[2]);
  }
}

/** Fields before the path, of changed, renamed and unmerged entries. */
const pathFields: Readonly<Record<string, number>> = { 1: 8, 2: 9, u: 10 };
