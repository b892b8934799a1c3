import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, opendir, readlink, rm, symlink, utimes } from 'node:fs/promises';
import { SpoonError } from '../../protocol/errors.ts';
import type { CopiedHome } from '../../protocol/scratch.ts';
import { readUsage } from './homeUsage.ts';

/** stat(2): whatever the file system's own block size. */
const blockBytes = 512;
const usageMs = 10_000;
/** More are copied apart: they would not fit boxd's memory. */
const maxLinked = 50_000;
const mebi = 1024 * 1024;

/**
 * Makes a home the same as another: files, folders and links; what only a running program has (sockets, pipes) is left. Where the
 * file system can, nothing is written twice.
 * @throws SpoonError `home-too-large` beyond `maxBytes`; `insufficient-storage` and the like
 */
export async function copyHome(from: string, to: string, maxBytes: number): Promise<CopiedHome> {
  // Before anything is emptied.
  const source = await lstat(from);
  const { usedBytes, truncated } = await readUsage(from, usageMs);
  if (usedBytes > maxBytes) throw tooLarge(usedBytes, truncated, maxBytes);
  await emptyFolder(to);
  const copied = { bytes: 0, files: 0, left: 0 };
  /** Git's objects are shared between checkouts by hard links. */
  const linked = new Map<string, string>();
  const copyOne = async (source: string, target: string, stat: Stats): Promise<void> => {
    if (stat.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (stat.isDirectory()) return copyFolder(source, target, stat);
    else if (stat.isFile()) {
      const key = `${stat.dev}:${stat.ino}`;
      const twin = stat.nlink > 1 ? linked.get(key) : undefined;
      if (twin !== undefined) await link(twin, target);
      else {
        // Holes are written where the file system cannot share blocks.
        copied.bytes += Math.max(stat.blocks * blockBytes, stat.size);
        if (copied.bytes > maxBytes) throw tooLarge(copied.bytes, true, maxBytes);
        await copyFile(source, target, constants.COPYFILE_FICLONE);
        await utimes(target, stat.atime, stat.mtime);
        if (stat.nlink > 1 && linked.size < maxLinked) linked.set(key, target);
      }
    } else {
      copied.left++;
      return;
    }
    copied.files++;
  };
  const copyFolder = async (source: string, target: string, stat: Stats): Promise<void> => {
    if (target !== to) await mkdir(target, { mode: 0o700 });
    for await (const { name } of await opendir(source)) {
      if (`${source}/${name}` === to) continue;
      try {
        await copyOne(`${source}/${name}`, `${target}/${name}`, await lstat(`${source}/${name}`));
      } catch (error) {
        // The home is in use: files go, and some are closed to their own owner.
        if (!isGoneOrClosed(error)) throw error;
        copied.left++;
      }
    }
    // Last: a folder may be closed to its own owner.
    if (target === to) return;
    await chmod(target, stat.mode & 0o7777);
    await utimes(target, stat.atime, stat.mtime);
  };
  await copyFolder(from, to, source);
  return { ...copied, endedMs: Math.ceil(Date.now()) };
}

async function emptyFolder(folder: string): Promise<void> {
  for await (const { name } of await opendir(folder)) await rm(`${folder}/${name}`, { recursive: true, force: true });
}

function isGoneOrClosed(error: unknown): boolean {
  return ['ENOENT', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function tooLarge(bytes: number, isMore: boolean, maxBytes: number): SpoonError {
  const [has, may] = [Math.ceil(bytes / mebi), Math.floor(maxBytes / mebi)];
  return new SpoonError(
    'home-too-large',
    `It has ${isMore ? 'more than ' : ''}${has} MiB, and a test copies at most ${may} MiB. Delete what is large (spoonctl home usage shows it), or have the operator raise SPOON_SCRATCH_MIB.`,
  );
}
