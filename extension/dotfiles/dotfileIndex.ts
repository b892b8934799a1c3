import type { Dotfile, DotfileKind } from '../../protocol/dotfiles.ts';

/** The dotfiles of one account as a tree, from the flat list that the service keeps. No I/O. */

export interface Entry {
  /** Relative to the home; empty for the home itself. */
  readonly path: string;
  readonly name: string;
  readonly kind: DotfileKind;
  /** Undefined for a folder that is there only because something is in it. */
  readonly dotfile: Dotfile | undefined;
}

export interface IndexChange {
  readonly created: readonly string[];
  readonly changed: readonly string[];
  readonly deleted: readonly string[];
}

const noChange: IndexChange = { created: [], changed: [], deleted: [] };

export class DotfileIndex {
  readonly #dotfiles = new Map<string, Dotfile>();
  /** Names in each folder; the home is always there. */
  readonly #folders = new Map<string, Set<string>>([['', new Set()]]);

  /** Number of dotfiles, not counting folders that only hold others. */
  get size(): number {
    return this.#dotfiles.size;
  }

  get(path: string): Entry | undefined {
    const dotfile = this.#dotfiles.get(path);
    if (dotfile === undefined && !this.#folders.has(path)) return undefined;
    return { path, name: nameOf(path), kind: dotfile?.kind ?? 'directory', dotfile };
  }

  /** Folders first, then by name as people sort: case and accents count last, numbers by value. */
  children(folder: string): Entry[] {
    const names = this.#folders.get(folder) ?? new Set<string>();
    return [...names]
      .map((name) => this.get(joinPath(folder, name)))
      .filter((entry) => entry !== undefined)
      .sort(compareEntries);
  }

  /** All dotfiles below a folder, or the one at the path; a folder before what is in it. */
  below(path: string): Dotfile[] {
    const found: Dotfile[] = [];
    const paths = [path];
    for (let next = paths.pop(); next !== undefined; next = paths.pop()) {
      const dotfile = this.#dotfiles.get(next);
      if (dotfile !== undefined) found.push(dotfile);
      for (const name of this.#folders.get(next) ?? []) paths.push(joinPath(next, name));
    }
    return found;
  }

  all(): Dotfile[] {
    return [...this.#dotfiles.values()];
  }

  /** Takes over a whole list. @returns what is different from before, folders included */
  replace(dotfiles: readonly Dotfile[]): IndexChange {
    const paths = new Set(dotfiles.map(({ path }) => path));
    const changes = [...this.#dotfiles.keys()].filter((path) => !paths.has(path)).map((path) => this.remove(path));
    changes.push(...dotfiles.map((dotfile) => this.put(dotfile)));
    return mergeChanges(changes);
  }

  put(dotfile: Dotfile): IndexChange {
    const { path } = dotfile;
    const known = this.#dotfiles.get(path);
    // Events may come late: what is known already is never taken back by an older one.
    if (known !== undefined && known.id === dotfile.id && known.version > dotfile.version) return noChange;
    const existed = this.get(path) !== undefined;
    this.#dotfiles.set(path, dotfile);
    const created = existed ? [] : [path];
    if (dotfile.kind === 'directory' && !this.#folders.has(path)) this.#folders.set(path, new Set());
    for (let child = path; child !== ''; child = parentOf(child)) {
      const parent = parentOf(child);
      const names = this.#folders.get(parent);
      names?.add(nameOf(child));
      if (names !== undefined) break;
      this.#folders.set(parent, new Set([nameOf(child)]));
      created.unshift(parent);
    }
    const isSame =
      known?.etag === dotfile.etag && known.modifiedMs === dotfile.modifiedMs && known.mode === dotfile.mode;
    return { created, changed: existed && !isSame ? [path] : [], deleted: [] };
  }

  /** Removes a dotfile or a folder with all below it, and the folders above that then hold nothing. */
  remove(path: string): IndexChange {
    const deleted: string[] = [];
    for (const dotfile of this.below(path)) deleted.push(...this.#removeOne(dotfile.path));
    return { created: [], changed: [], deleted };
  }

  #removeOne(path: string): string[] {
    this.#dotfiles.delete(path);
    const deleted: string[] = [];
    for (let child = path; child !== '' && !this.#dotfiles.has(child); child = parentOf(child)) {
      if ((this.#folders.get(child)?.size ?? 0) > 0) break;
      this.#folders.delete(child);
      this.#folders.get(parentOf(child))?.delete(nameOf(child));
      deleted.push(child);
    }
    return deleted;
  }
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Empty for what is directly in the home. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

export function mergeChanges(changes: readonly IndexChange[]): IndexChange {
  return {
    created: changes.flatMap(({ created }) => created),
    changed: changes.flatMap(({ changed }) => changed),
    deleted: changes.flatMap(({ deleted }) => deleted),
  };
}

export function isEmptyChange({ created, changed, deleted }: IndexChange): boolean {
  return created.length + changed.length + deleted.length === 0;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function compareEntries(one: Entry, other: Entry): number {
  const folders = Number(other.kind === 'directory') - Number(one.kind === 'directory');
  if (folders !== 0) return folders;
  return collator.compare(one.name, other.name) || (one.name < other.name ? -1 : 1);
}
