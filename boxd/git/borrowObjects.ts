import { linkSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { hasCode } from '../home/homeErrors.ts';

/** Names of git's object files; anything else in the folder is none of ours. */
const packName = /^pack-[0-9a-f]{40,64}\.(?:pack|idx|rev)$/;
const looseFolder = /^[0-9a-f]{2}$/;
const looseName = /^[0-9a-f]{38,62}$/;

/**
 * Gives a new repository the objects of another one by hard links (docs/decisions/0080): nothing is copied or downloaded, and
 * each stays whole when the other one is deleted, because git never changes an object file. Links that cannot be made are left
 * out: git fetches what it then misses.
 * @returns how many files were linked
 */
export function borrowObjects(from: string, to: string): number {
  let linked = 0;
  const link = (folder: string, wanted: RegExp) => {
    mkdirSync(`${to}/${folder}`, { recursive: true });
    // An index without its pack is an error to git, so the packs come first.
    const names = list(`${from}/${folder}`).filter((name) => wanted.test(name));
    for (const name of names.sort((a, b) => Number(b.endsWith('.pack')) - Number(a.endsWith('.pack')))) {
      if (linkFile(`${from}/${folder}/${name}`, `${to}/${folder}/${name}`)) linked++;
    }
  };
  link('pack', packName);
  for (const folder of list(from)) if (looseFolder.test(folder)) link(folder, looseName);
  return linked;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function linkFile(from: string, to: string): boolean {
  try {
    if (!lstatSync(from).isFile()) return false;
    linkSync(from, to);
    return true;
  } catch (error) {
    // Gone by a repack, another file system, or too many links.
    if (hasCode(error, 'ENOENT', 'EXDEV', 'EMLINK', 'EPERM', 'EEXIST', 'EACCES')) return false;
    throw error;
  }
}
