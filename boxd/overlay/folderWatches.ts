import { type FSWatcher, watch } from 'node:fs';
import { isErrno } from '../home/homeErrors.ts';

interface Folder {
  /** Managed names in it: the path of a file, or a folder further down. */
  readonly names: Map<string, 'file' | 'folder'>;
  watcher?: FSWatcher;
}

/**
 * Watches the folders that hold managed files, and those above them, through the platform. A person may replace any of
 * them at any time; each is then watched anew. What cannot be watched (too many, or the kernel has no room) is in
 * {@link unwatched}, for somebody to look at from time to time.
 */
export class FolderWatches {
  readonly #home: string;
  readonly #maxWatches: number;
  readonly #onChange: (paths: readonly string[]) => void;
  readonly #folders = new Map<string, Folder>();
  /** Folders whose name somebody gave to another one: at any rate, so they wait until somebody looks. */
  readonly #replaced = new Set<string>();
  #count = 0;

  /** @param onChange gets managed paths that may have changed, and ones that are not managed never */
  constructor(home: string, maxWatches: number, onChange: (paths: readonly string[]) => void) {
    this.#home = home;
    this.#maxWatches = maxWatches;
    this.#onChange = onChange;
  }

  /** The managed paths from now on. */
  follow(paths: Iterable<string>): void {
    const wanted = foldersOf(paths);
    for (const [path, folder] of this.#folders) {
      if (wanted.has(path)) continue;
      this.#unwatch(folder);
      this.#folders.delete(path);
    }
    for (const [path, names] of wanted) {
      const known = this.#folders.get(path);
      const folder: Folder = { names, ...(known?.watcher === undefined ? {} : { watcher: known.watcher }) };
      this.#folders.set(path, folder);
      if (folder.watcher === undefined) this.#watch(path, folder);
    }
  }

  /** Watches anew what was replaced since the last call. @returns the managed files in it: nobody saw what happened to them */
  renew(): string[] {
    const replaced = [...this.#replaced];
    this.#replaced.clear();
    return replaced.flatMap((path) => this.#watchAgain(path));
  }

  /** Managed files whose folder is not watched. */
  unwatched(): string[] {
    return [...this.#folders].flatMap(([path, folder]) => (folder.watcher === undefined ? filesIn(path, folder) : []));
  }

  close(): void {
    for (const folder of this.#folders.values()) this.#unwatch(folder);
    this.#folders.clear();
  }

  #watch(path: string, folder: Folder): void {
    if (this.#count >= this.#maxWatches) return;
    try {
      const watcher = watch(path === '' ? this.#home : `${this.#home}/${path}`, { persistent: false });
      folder.watcher = watcher;
      this.#count++;
      watcher.on('change', (_, name) => this.#changed(path, String(name)));
      // The kernel gives up on a watch, which is then one of the unwatched.
      watcher.on('error', () => this.#unwatchIf(path, watcher));
    } catch (error) {
      // Missing for now, not a folder, or no room for more watches: looked at from time to time.
      if (!isErrno(error)) throw error;
    }
  }

  #changed(path: string, name: string): void {
    const kind = this.#folders.get(path)?.names.get(name);
    if (kind === undefined) return;
    const changed = join(path, name);
    // It may be another folder under the same name now, and a watch follows the old one.
    if (kind === 'folder') this.#replaced.add(changed);
    // A folder can be managed itself, too.
    this.#onChange([changed]);
  }

  /** @returns the files in it and below */
  #watchAgain(top: string): string[] {
    const files: string[] = [];
    // In the order in which they were found: from the top down, so that none appears unseen in between.
    for (const [path, folder] of this.#folders) {
      if (path !== top && !path.startsWith(`${top}/`)) continue;
      this.#unwatch(folder);
      this.#watch(path, folder);
      files.push(...filesIn(path, folder));
    }
    return files;
  }

  #unwatchIf(path: string, watcher: FSWatcher): void {
    const folder = this.#folders.get(path);
    if (folder?.watcher === watcher) this.#unwatch(folder);
  }

  #unwatch(folder: Folder): void {
    if (folder.watcher === undefined) return;
    folder.watcher.close();
    delete folder.watcher;
    this.#count--;
  }
}

function foldersOf(paths: Iterable<string>): Map<string, Map<string, 'file' | 'folder'>> {
  const folders = new Map<string, Map<string, 'file' | 'folder'>>();
  const namesOf = (folder: string) => {
    const names = folders.get(folder) ?? new Map<string, 'file' | 'folder'>();
    folders.set(folder, names);
    return names;
  };
  // Sorted, a folder comes before what is in it.
  for (const path of [...paths].sort()) {
    const segments = path.split('/');
    for (let depth = 0; depth < segments.length; depth++) {
      const names = namesOf(segments.slice(0, depth).join('/'));
      const name = segments[depth] ?? '';
      if (depth < segments.length - 1) names.set(name, 'folder');
      else if (!names.has(name)) names.set(name, 'file');
    }
  }
  return folders;
}

function filesIn(path: string, { names }: Folder): string[] {
  return [...names].flatMap(([name, kind]) => (kind === 'file' ? [join(path, name)] : []));
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
