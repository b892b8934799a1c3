import { type Dir, type FSWatcher, lstatSync, opendirSync, watch } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { maxWatchedFolders } from '../../protocol/limits.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, isErrno } from '../home/homeErrors.ts';
import { temporaryPrefix } from '../home/homeFiles.ts';

/**
 * Not looked into: made by tools, of tens of thousands of folders, and nothing that an open editor shows. VS Code's own
 * `files.watcherExclude` leaves out the same.
 */
const unwatched = new Set(['.git', '.hg', '.svn', 'node_modules', '.venv', '__pycache__']);

interface Options {
  readonly home: string;
  /** Relative to the home. */
  readonly path: string;
  readonly recursive: boolean;
  /** @param isNew it may not have been there before */
  readonly onChange: (path: string, isNew: boolean) => void;
  /** Folders that are watched besides. */
  readonly othersCount: () => number;
}

/**
 * Changes in a folder and, if wanted, in all below it: one inotify watch a folder. Node's own recursive watching looks into
 * everything, follows links, and cannot be told what to leave out.
 */
export class TreeWatch {
  readonly #options: Options;
  readonly #watchers = new Map<string, FSWatcher>();
  #isClosed = false;
  isIncomplete = false;

  constructor(options: Options) {
    this.#options = options;
  }

  get folderCount(): number {
    return this.#watchers.size;
  }

  /** Resolves when what is there now is watched. A folder that is not there is not. */
  async start(): Promise<void> {
    await this.#add(this.#options.path, false);
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** @param tell what is found in it has just come */
  async #add(path: string, tell: boolean): Promise<void> {
    const pending = [path];
    for (let next = pending.shift(); next !== undefined && !this.#isClosed; next = pending.shift()) {
      if (!this.#watch(next) || !this.#options.recursive) continue;
      pending.push(...(await this.#look(next, tell)));
    }
  }

  /** True where it is watched from now on. */
  #watch(path: string): boolean {
    if (this.#watchers.has(path)) return false;
    if (this.#options.othersCount() >= maxWatchedFolders) {
      this.isIncomplete = true;
      return false;
    }
    return this.#inFolder(path, (at) => {
      const watcher = watch(at, { persistent: false });
      watcher.on('change', (event, name) => this.#noticed(path, String(name), event === 'rename'));
      // It is gone; the folder above tells of that.
      watcher.on('error', () => this.#remove(path));
      this.#watchers.set(path, watcher);
    });
  }

  async #look(path: string, tell: boolean): Promise<string[]> {
    const folders: string[] = [];
    let listing: Dir | undefined;
    this.#inFolder(path, (at) => {
      listing = opendirSync(at, { bufferSize: 256 });
    });
    for await (const entry of listing ?? []) {
      if (entry.name.startsWith(temporaryPrefix)) continue;
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (tell) this.#options.onChange(below, true);
      if (entry.isDirectory() && !unwatched.has(entry.name)) folders.push(below);
    }
    return folders;
  }

  #noticed(folder: string, name: string, mayBeNew: boolean): void {
    if (this.#isClosed || name.startsWith(temporaryPrefix)) return;
    const path = folder === '' ? name : `${folder}/${name}`;
    this.#options.onChange(path, mayBeNew);
    if (!mayBeNew || !this.#options.recursive || unwatched.has(name)) return;
    // Another folder may have the name by now.
    this.#remove(path);
    let isFolder = false;
    this.#inFolder(folder, (at) => {
      isFolder = lstatSync(`${at}/${name}`, { throwIfNoEntry: false })?.isDirectory() ?? false;
    });
    if (isFolder) {
      this.#add(path, true).catch(() => {
        this.isIncomplete = true;
      });
    }
  }

  #remove(path: string): void {
    if (!this.#watchers.has(path)) return;
    for (const [watched, watcher] of this.#watchers) {
      if (watched !== path && !watched.startsWith(`${path}/`)) continue;
      watcher.close();
      this.#watchers.delete(watched);
    }
  }

  /** False where there is no such folder, or none that may be entered; a limit of the system makes it incomplete. */
  #inFolder(path: string, work: (at: string) => void): boolean {
    let home: HomeDirectory | undefined;
    try {
      home = HomeDirectory.open(this.#options.home);
      work(`/proc/self/fd/${home.folder(path).fd}`);
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOSPC', 'EMFILE')) this.isIncomplete = true;
      else if (!isErrno(error) && !(error instanceof SpoonError)) throw error;
      return false;
    } finally {
      home?.close();
    }
  }
}
