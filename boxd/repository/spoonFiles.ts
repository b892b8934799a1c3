import { unlinkSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { readRegularFile, writeFile } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';

/** Small files of Spoon's own in `~/.spoon`, which a person or a script may delete at any time. */

const maxBytes = 4 * 1024 * 1024;

/** Undefined where it is missing or is no file. */
export function readSpoonFile(home: string, name: string): string | undefined {
  return inSpoonFolder(home, name, (folder) => {
    try {
      return readRegularFile(folder, name, maxBytes).toString('utf8');
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO') || error instanceof SpoonError) return undefined;
      throw error;
    }
  });
}

/** @throws SpoonError `insufficient-storage`, `home-not-writable`, … */
export function writeSpoonFile(home: string, name: string, text: string): void {
  inSpoonFolder(home, name, (folder) => writeFile(folder, name, Buffer.from(text), 0o600));
}

/** @throws SpoonError `home-not-writable`, … */
export function removeSpoonFile(home: string, name: string): void {
  inSpoonFolder(home, name, (folder) => {
    try {
      unlinkSync(folder.entry(name));
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  });
}

function inSpoonFolder<T>(home: string, name: string, work: (folder: PinnedFolder) => T): T {
  const directory = HomeDirectory.open(home);
  try {
    return work(directory.folder('.spoon', () => {}));
  } catch (error) {
    throw toHomeError(error, `.spoon/${name}`);
  } finally {
    directory.close();
  }
}
