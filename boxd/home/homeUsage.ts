import { type Dirent, lstatSync, readdirSync, statfsSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HomeUsage } from '../../protocol/homeUsage.ts';
import { isErrno, toHomeError } from './homeErrors.ts';

/** stat(2): whatever the file system's own block size. */
const blockBytes = 512;
const maxListed = 20;
/** Folders this deep are told apart; what is deeper counts to the one above. */
const maxDepth = 5;
/** Terminals get their turn in between. */
const turnMs = 10;
/** A folder is left out for one in it that holds so much of it. */
const nearlyAll = 0.9;

interface Folder {
  readonly path: string;
  readonly depth: number;
  readonly above: Folder | undefined;
  bytes: number;
  files: number;
}

/**
 * Counts the home, never beyond it: links are not followed, other file systems not entered.
 * @param limitMs then what has been seen is said
 */
export async function readUsage(home: string, limitMs: number): Promise<HomeUsage> {
  const endMs = performance.now() + limitMs;
  const root: Folder = { path: '', depth: 0, above: undefined, bytes: 0, files: 0 };
  const folders = [root];
  const seen = new Set<number>();
  const { dev } = lstatSync(home);
  const pending: { path: string; folder: Folder }[] = [{ path: '', folder: root }];
  let turnEndMs = performance.now() + turnMs;
  let truncated = false;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, folder } = next;
    for (const entry of list(`${home}/${path}`)) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`;
      const stat = look(`${home}/${name}`);
      if (stat === undefined || stat.dev !== dev) continue;
      // Git's objects are shared between checkouts by hard links.
      if (!entry.isDirectory() && stat.nlink > 1 && seen.size === seen.add(stat.ino).size) continue;
      add(folder, stat.blocks * blockBytes, entry.isDirectory() ? 0 : 1);
      if (!entry.isDirectory()) continue;
      let inside = folder;
      if (folder.depth < maxDepth) {
        inside = { path: name, depth: folder.depth + 1, above: folder, bytes: 0, files: 0 };
        folders.push(inside);
      }
      pending.push({ path: name, folder: inside });
    }
    if (performance.now() < turnEndMs) continue;
    if (performance.now() > endMs) {
      truncated = pending.length > 0;
      break;
    }
    await nextTurn();
    turnEndMs = performance.now() + turnMs;
  }
  return { usedBytes: root.bytes, files: root.files, folders: largest(folders), disk: diskOf(home), truncated };
}

/** Room on the disk of the home, for who may write there. */
export function diskOf(home: string): HomeUsage['disk'] {
  const { bsize, blocks, bavail } = statfsSync(home);
  return { sizeBytes: bsize * blocks, freeBytes: Math.max(0, bsize * bavail) };
}

function add(folder: Folder, bytes: number, files: number): void {
  for (let each: Folder | undefined = folder; each !== undefined; each = each.above) {
    each.bytes += bytes;
    each.files += files;
  }
}

function largest(folders: readonly Folder[]): HomeUsage['folders'] {
  const stoodFor = new Set<Folder>();
  for (const { above, bytes } of folders) {
    if (above !== undefined && bytes > nearlyAll * above.bytes) stoodFor.add(above);
  }
  return folders
    .filter((folder) => folder.depth > 0 && folder.bytes > 0 && !stoodFor.has(folder))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, maxListed)
    .map(({ path, bytes, files }) => ({ path: path.toWellFormed(), bytes, files }));
}

function list(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    // Gone, or closed to its own owner: there is nothing to count.
    if (isErrno(error)) return [];
    throw toHomeError(error, folder);
  }
}

function look(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isErrno(error)) return undefined;
    throw error;
  }
}
