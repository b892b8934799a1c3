import { lstatSync, readdirSync, readlinkSync, rmdirSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';
import { withoutHidden } from '../../protocol/plainText.ts';
import { codeFolder } from '../../protocol/threadFolder.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';

/** What is where a checkout should be (row 89, decision 14). */
export type Place = { readonly kind: 'free' } | { readonly kind: 'checkout' };

const shownNames = 3;

/**
 * Looks at every folder on the way to `folder` and makes those that are missing above it.
 * @param folder `Code/{spoon}/{branch}`, checked by the service; looked at again because it becomes a path here
 * @throws SpoonError `checkout-in-the-way` that names what is, `path-through-symlink`, `home-not-writable`, …
 */
export function lookAtPlace(home: string, folder: string): Place {
  const parts = folder.split('/');
  if (parts[0] !== codeFolder || parts.length < 3 || parts.some((part) => part === '' || /^\.|^-|\p{Cc}/u.test(part))) {
    throw new SpoonError('request-invalid', 'folder must be Code/{spoon}/{branch}.');
  }
  for (let depth = 3; depth < parts.length; depth++) {
    const above = parts.slice(0, depth).join('/');
    const stat = look(home, above);
    if (stat === undefined) break;
    if (!stat.isDirectory()) throw inTheWay(above, whatIs(home, above, stat));
    if (look(home, `${above}/.git`) !== undefined) {
      throw inTheWay(above, 'a checkout; a branch of that name and one below it cannot both be folders');
    }
  }
  const stat = look(home, folder);
  if (stat === undefined) {
    makeAbove(home, parts.slice(0, -1).join('/'));
    return { kind: 'free' };
  }
  if (!stat.isDirectory()) throw inTheWay(folder, whatIs(home, folder, stat));
  if (look(home, `${folder}/.git`) !== undefined) return { kind: 'checkout' };
  const names = read(home, folder);
  if (names.length === 0) return { kind: 'free' };
  const shown = names.slice(0, shownNames).map(plainName).join(', ');
  throw inTheWay(folder, `a folder that is no checkout and holds ${shown}${names.length > shownNames ? ', …' : ''}`);
}

/**
 * Nothing is done to a checkout behind a link that leaves the home. What is missing leaves nowhere.
 * @throws SpoonError `path-through-symlink`
 */
export function checkInHome(home: string, folder: string): void {
  const above = dirname(folder);
  const directory = HomeDirectory.open(home);
  try {
    directory.folder(above);
  } catch (error) {
    if (error instanceof SpoonError && error.code === 'path-through-symlink') throw error;
  } finally {
    directory.close();
  }
}

/** Folders above `folder`, a nested branch's and the spoon's, once nothing is in them. */
export function removeEmptyAbove(home: string, folder: string): void {
  for (let above = dirname(folder); above.includes('/'); above = dirname(above)) {
    try {
      rmdirSync(`${home}/${above}`);
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) return;
      throw toHomeError(error, above);
    }
  }
}

/** Nothing there, a checkout, or something else; without making anything. */
export function isCheckout(home: string, folder: string): boolean {
  return look(home, folder)?.isDirectory() === true && look(home, `${folder}/.git`) !== undefined;
}

export function look(home: string, path: string): Stats | undefined {
  try {
    return lstatSync(`${home}/${path}`, { throwIfNoEntry: false });
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) return undefined;
    throw toHomeError(error, path);
  }
}

function read(home: string, path: string): string[] {
  try {
    return readdirSync(`${home}/${path}`).sort();
  } catch (error) {
    throw toHomeError(error, path);
  }
}

function makeAbove(home: string, path: string): void {
  const directory = HomeDirectory.open(home);
  try {
    directory.folder(path, () => {});
  } finally {
    directory.close();
  }
}

function whatIs(home: string, path: string, stat: Stats): string {
  if (stat.isSymbolicLink()) return `a symbolic link to ${plainName(readlinkSync(`${home}/${path}`))}`;
  return stat.isFile() ? 'a file' : 'something that is neither file nor folder';
}

export function inTheWay(path: string, what: string): SpoonError {
  return new SpoonError('checkout-in-the-way', `~/${plainName(path)} is ${what}.`, { extra: { path } });
}

function plainName(name: string): string {
  return withoutHidden(name, '?').slice(0, 300);
}
