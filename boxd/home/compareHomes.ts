import { constants, type Stats } from 'node:fs';
import { access, lstat, open, readdir, readlink } from 'node:fs/promises';
import type { HomeChange, HomeChanges } from '../../protocol/scratch.ts';

const maxListed = 1000;
const chunkBytes = 256 * 1024;
/** Spoon's own, and what git keeps for itself. */
const leftOut = new Set(['.spoon', '.dotfiles/.git']);

/**
 * What a copy of a home has that the home has not, and the other way round. Of a folder that is new or gone only itself.
 * @param sinceMs the copy was the same then: a time of change that nobody can set (stat(2)) keeps what has changed in the home
 *   since from being taken for a change of the copy
 */
export async function compareHomes(home: string, copy: string, sinceMs: number): Promise<HomeChanges> {
  const changes: HomeChange[] = [];
  let count = 0;
  const tell = (path: string, change: HomeChange['change'], stat: Stats): void => {
    count++;
    if (changes.length < maxListed) changes.push({ path: stat.isDirectory() ? `${path}/` : path, change });
  };
  const compare = async (path: string): Promise<void> => {
    const [before, after] = [await namesIn(`${home}/${path}`), await namesIn(`${copy}/${path}`)];
    for (const name of [...new Set([...before, ...after])].sort()) {
      const at = path === '' ? name : `${path}/${name}`;
      if (leftOut.has(at)) continue;
      const [old, now] = [await look(`${home}/${at}`), await look(`${copy}/${at}`)];
      if (now === undefined) {
        const wasCopied = old !== undefined && old.ctimeMs <= sinceMs && (await isCopied(`${home}/${at}`, old));
        if (wasCopied) tell(at, 'removed', old);
      } else if (old === undefined) {
        if (now.ctimeMs > sinceMs) tell(at, 'added', now);
      } else if (old.isDirectory() && now.isDirectory()) {
        if (old.mode !== now.mode && now.ctimeMs > sinceMs) tell(at, 'changed', now);
        await compare(at);
      } else if (now.ctimeMs > sinceMs && !(await isSame([`${home}/${at}`, old], [`${copy}/${at}`, now]))) {
        tell(at, 'changed', now);
      }
    }
  };
  await compare('');
  return { changes, moreChanges: count - changes.length };
}

async function isSame([home, old]: [string, Stats], [copy, now]: [string, Stats]): Promise<boolean> {
  if (old.mode !== now.mode) return false;
  if (old.isSymbolicLink()) return (await readlink(home)) === (await readlink(copy));
  if (!old.isFile() || old.size !== now.size) return false;
  await using first = await openFile(home);
  await using second = await openFile(copy);
  const [one, other] = [Buffer.alloc(chunkBytes), Buffer.alloc(chunkBytes)];
  for (;;) {
    const { bytesRead } = await first.read(one, 0, chunkBytes);
    const read = await second.read(other, 0, chunkBytes);
    if (bytesRead !== read.bytesRead || one.compare(other, 0, bytesRead, 0, bytesRead) !== 0) return false;
    if (bytesRead === 0) return true;
  }
}

/** Never through a link, and never waiting for a pipe. */
function openFile(path: string) {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

/** As `copyHome` has it: what is no file, or closed to its own owner, was not. */
async function isCopied(path: string, stat: Stats): Promise<boolean> {
  if (stat.isSymbolicLink() || stat.isDirectory()) return true;
  return (
    stat.isFile() &&
    (await access(path, constants.R_OK).then(
      () => true,
      () => false,
    ))
  );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['EACCES', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['EACCES', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
