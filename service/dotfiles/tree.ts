import type { Dotfile, DotfileKind } from '../../protocol/dotfiles.ts';
import { type HomePath, parentsOf } from '../../protocol/homePath.ts';

/** A dotfile as it is known without its bytes. */
export interface TreeEntry {
  readonly id: string;
  readonly path: HomePath;
  readonly kind: DotfileKind;
  readonly mode: number;
  readonly size: number;
  readonly version: number;
  readonly lastVersion: number;
  /** Keyed hash of the bytes, as hex. */
  readonly content: string;
  readonly etag: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** A kept hand edit that nobody has looked at. */
  readonly drift?: PendingDrift | undefined;
  readonly secretsSilencedMs?: number | undefined;
}

export function dotfileOf(entry: TreeEntry): Dotfile {
  const { id, path, kind, mode, size, version, etag, modifiedMs, createdMs, secretsSilencedMs } = entry;
  const silenced = secretsSilencedMs === undefined ? {} : { secretsSilenced: true as const };
  return { id, path, kind, mode, size, version, etag, modifiedMs, createdMs, ...silenced };
}

export interface PendingDrift {
  readonly version: number;
  /** What it was made on top of, where the home still knew. */
  readonly base: number | undefined;
}

/**
 * All dotfiles of one user by path, kept in memory and changed with every write. Folders need no entry: a path with
 * something below it is one.
 */
export class DotfileTree {
  /** Stored entries whose name could not be opened. */
  damaged = 0;
  /** Of all contents together. */
  #bytes = 0;
  #keptEdits = 0;
  readonly #entries = new Map<string, TreeEntry>();
  /** Both made when asked for the first time: a list needs neither. */
  #folders: FolderIndex | undefined;
  #sorted: readonly TreeEntry[] | undefined;

  constructor(entries: Iterable<TreeEntry> = []) {
    for (const entry of entries) this.put(entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there are hand edits that were kept and that nobody has looked at. */
  get hasKeptEdits(): boolean {
    return this.#keptEdits > 0;
  }

  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
  }

  /** Something lies below it; an entry that says `directory` may have nothing. */
  hasBelow(path: string): boolean {
    return this.#index().below.has(path);
  }

  /** Everything below a folder, not the folder's own entry. */
  below(path: string): TreeEntry[] {
    return this.hasBelow(path) ? this.sorted().filter((entry) => entry.path.startsWith(`${path}/`)) : [];
  }

  /** Other spellings of an entry or folder that differ in case only. */
  otherSpellings(path: string): string[] {
    return [...(this.#index().spellings.get(path.toLowerCase())?.keys() ?? [])].filter((spelling) => spelling !== path);
  }

  /** By path, in the order of UTF-16 code units: the same list in every process. A new array after each change. */
  sorted(): readonly TreeEntry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return this.#sorted;
  }

  put(entry: TreeEntry): void {
    const before = this.#entries.get(entry.path);
    this.#bytes += entry.size - (before?.size ?? 0);
    this.#keptEdits += keptIn(entry) - keptIn(before);
    this.#entries.set(entry.path, entry);
    if (before === undefined) this.#folders?.count(entry.path, 1);
    // Sorting a thousand again after every save would be most of what the save costs here.
    this.#sorted = before === undefined ? undefined : this.#sorted?.with(placeOf(this.#sorted, entry.path), entry);
  }

  remove(path: HomePath): void {
    const before = this.#entries.get(path);
    this.#bytes -= before?.size ?? 0;
    this.#keptEdits -= keptIn(before);
    if (this.#entries.delete(path)) this.#folders?.count(path, -1);
    this.#sorted = undefined;
  }

  #index(): FolderIndex {
    if (this.#folders === undefined) {
      this.#folders = new FolderIndex();
      for (const entry of this.#entries.values()) this.#folders.count(entry.path, 1);
    }
    return this.#folders;
  }
}

function keptIn(entry: TreeEntry | undefined): number {
  return entry?.drift === undefined ? 0 : 1;
}

/** @param sorted has the path */
function placeOf(sorted: readonly TreeEntry[], path: HomePath): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.path ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

class FolderIndex {
  /** Folders, with the number of entries anywhere below. */
  readonly below = new Map<string, number>();
  /** Names of entries and folders by their lower case. */
  readonly spellings = new Map<string, Map<string, number>>();

  count(path: HomePath, change: 1 | -1): void {
    const folders = parentsOf(path);
    for (const folder of folders) add(this.below, folder, change);
    for (const name of [...folders, path]) {
      const lower = name.toLowerCase();
      const spellings = this.spellings.get(lower) ?? new Map<string, number>();
      add(spellings, name, change);
      if (spellings.size === 0) this.spellings.delete(lower);
      else this.spellings.set(lower, spellings);
    }
  }
}

function add(counts: Map<string, number>, name: string, change: number): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
