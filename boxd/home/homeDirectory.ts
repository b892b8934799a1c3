import { chmodSync, fstatSync, lstatSync, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { expectedDirectoryMode } from '../../protocol/fileMode.ts';
import { hasCode, toHomeError } from './homeErrors.ts';
import { PinnedFolder, walkFlags } from './pinnedFolder.ts';

/** As the kernel's own limit (path_resolution(7)). */
const maxLinks = 40;
/** Folders held open at once; far below any limit of open files (getrlimit(2)). */
const maxPinned = 100;
const permissionBits = 0o777;
/** `.spoon` holds backups of private files. */
const privateMode = 0o700;

interface Step {
  readonly name: string;
  /** The part of the asked path that this step belongs to: where a link sits that the step comes from. */
  readonly origin: string;
}

/**
 * The home, entered folder by folder from a pinned start, so that nothing can be swapped in behind a check. A folder that
 * is a symbolic link is followed while it stays inside the home and refused by name when it leaves (decision 6); `..`
 * goes back to the folder that was really walked through.
 */
export class HomeDirectory {
  readonly root: PinnedFolder;
  readonly #prefixes: readonly string[];
  /** In the order of their last use. */
  readonly #pinned = new Map<string, PinnedFolder>();

  private constructor(root: PinnedFolder, prefixes: readonly string[]) {
    this.root = root;
    this.#prefixes = prefixes;
  }

  /** @throws SpoonError `home-untrusted` when it is not a folder of this user */
  static open(home: string): HomeDirectory {
    try {
      const root = new PinnedFolder(openSync(home, walkFlags), '');
      if (fstatSync(root.fd).uid === process.geteuid?.()) return new HomeDirectory(root, [home, realpathSync(home)]);
      root.close();
    } catch (cause) {
      throw new SpoonError('home-untrusted', `${home} cannot be entered.`, { cause });
    }
    throw new SpoonError('home-untrusted', `${home} belongs to somebody else.`);
  }

  /**
   * The folder at `path`, pinned at least until the next call and at most until `close`: files of one folder that follow
   * each other need one walk.
   * @param onMissing called for each folder that was missing and has been made; without it a missing one is an error
   * @throws SpoonError `path-through-symlink`, `path-kind-conflict`, `home-not-writable`, …
   */
  folder(path: string, onMissing?: (made: string) => void): PinnedFolder {
    if (path === '') return this.root;
    const known = this.#pinned.get(path);
    const folder = known ?? new PinnedFolder(this.#open(path, onMissing), path);
    this.#pinned.delete(path);
    for (const [oldest, pinned] of this.#pinned) {
      if (this.#pinned.size < maxPinned) break;
      pinned.close();
      this.#pinned.delete(oldest);
    }
    this.#pinned.set(path, folder);
    return folder;
  }

  /** Lets go of a folder that has been removed, so that one made anew in its place is found. */
  forget(path: string): void {
    this.#pinned.get(path)?.close();
    this.#pinned.delete(path);
  }

  close(): void {
    for (const folder of this.#pinned.values()) folder.close();
    this.#pinned.clear();
    this.root.close();
  }

  /** One step from the folder above, which is pinned itself then; only where that meets a link, the whole way again. */
  #open(path: string, onMissing?: (made: string) => void): number {
    const slash = path.lastIndexOf('/');
    const above = this.folder(path.slice(0, Math.max(0, slash)), onMissing);
    try {
      const next = this.#enter(above, { name: path.slice(slash + 1), origin: path }, onMissing);
      if (next instanceof PinnedFolder) return next.fd;
    } catch (error) {
      throw toHomeError(error, path);
    }
    return this.#walk(path, onMissing);
  }

  /** Returns an open descriptor, which is the caller's. */
  #walk(path: string, onMissing?: (made: string) => void): number {
    const stack = [this.root];
    const leave = (): boolean => {
      if (stack.length === 1) return false;
      stack.pop()?.close();
      return true;
    };
    try {
      const pending = stepsTo(path);
      let links = 0;
      for (let step = pending.shift(); step !== undefined; step = pending.shift()) {
        const { name, origin } = step;
        if (name === '' || name === '.') continue;
        if (name === '..') {
          if (!leave()) throw leavesHome(origin);
          continue;
        }
        const folder = stack[stack.length - 1] ?? this.root;
        const next = this.#enter(folder, step, onMissing);
        if (next instanceof PinnedFolder) {
          stack.push(next);
          continue;
        }
        if (++links > maxLinks) {
          throw new SpoonError('path-through-symlink', `Links at ${origin} go round in a circle.`, { extra: { path } });
        }
        if (next.startsWith('/')) while (leave());
        pending.unshift(...this.#relative(next, origin).map((part) => ({ name: part, origin })));
      }
      const end = stack.length > 1 ? stack.pop() : new PinnedFolder(openSync(this.root.entry('.'), walkFlags), '');
      if (end === undefined) throw new Error('walked to nowhere');
      return end.fd;
    } catch (error) {
      throw toHomeError(error, path);
    } finally {
      while (leave());
    }
  }

  /** The folder of that name, or the target of the link in its place. */
  #enter(folder: PinnedFolder, { name, origin }: Step, onMissing?: (made: string) => void): PinnedFolder | string {
    const at = folder.entry(name);
    try {
      // Asked first where many are missing, as in a fresh home: an exception costs ten times the question.
      if (onMissing !== undefined && lstatSync(at, { throwIfNoEntry: false }) === undefined) {
        return makeFolder(folder, { name, origin }, onMissing);
      }
      return new PinnedFolder(openSync(at, walkFlags), origin);
    } catch (error) {
      if (hasCode(error, 'ENOENT') && onMissing !== undefined) return makeFolder(folder, { name, origin }, onMissing);
      if (!hasCode(error, 'ENOTDIR', 'ELOOP')) throw error;
    }
    try {
      return readlinkSync(at);
    } catch (error) {
      // EINVAL: not a link, so it is a file. ENOENT: swapped away between the two calls.
      if (!hasCode(error, 'EINVAL', 'ENOENT')) throw error;
      throw new SpoonError('path-kind-conflict', `${origin} is not a folder.`, {
        cause: error,
        extra: { path: origin },
      });
    }
  }

  #relative(target: string, origin: string): string[] {
    if (!target.startsWith('/')) return target.split('/');
    for (const prefix of this.#prefixes) {
      if (target === prefix) return [];
      if (target.startsWith(`${prefix}/`)) return target.slice(prefix.length + 1).split('/');
    }
    throw leavesHome(origin);
  }
}

function makeFolder(folder: PinnedFolder, { name, origin }: Step, onMissing: (made: string) => void): PinnedFolder {
  const mode = /^\.spoon(\/|$)/.test(origin) ? privateMode : expectedDirectoryMode(origin);
  try {
    mkdirSync(folder.entry(name), mode);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const made = new PinnedFolder(openSync(folder.entry(name), walkFlags), origin);
  if ((fstatSync(made.fd).mode & permissionBits) !== mode) chmodSync(`/proc/self/fd/${made.fd}`, mode);
  onMissing(origin);
  return made;
}

function stepsTo(path: string): Step[] {
  const names = path.split('/');
  return names.map((name, index) => ({ name, origin: names.slice(0, index + 1).join('/') }));
}

function leavesHome(origin: string): SpoonError {
  return new SpoonError('path-through-symlink', `${origin} leads out of the home.`, { extra: { path: origin } });
}
