import { renameSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { keepAside, look, readRegularFile } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';

const backupFolder = '.spoon/backup';

/** Where one apply keeps what was in its way: `~/.spoon/backup/20260131T235959123Z/{path}`. */
export class BackupPlace {
  readonly #home: HomeDirectory;
  readonly #folder: string;

  /** @param home a pinned home of its own: the caller's current folder must stay open meanwhile */
  constructor(home: HomeDirectory, now: Date) {
    this.#home = home;
    this.#folder = `${backupFolder}/${now.toISOString().replaceAll(/[-:.]/g, '')}`;
  }

  /** @returns the path of the backup, relative to the home */
  keep(path: string, folder: PinnedFolder, name: string): string {
    for (let attempt = 1; ; attempt++) {
      const kept = `${this.#folder}${attempt === 1 ? '' : `-${attempt}`}/${path}`;
      const slash = kept.lastIndexOf('/');
      const place = this.#home.folder(kept.slice(0, slash), () => {});
      try {
        keepAside(folder, name, place, kept.slice(slash + 1));
        return kept;
      } catch (error) {
        // Two applies in the same millisecond.
        if (!hasCode(error, 'EEXIST') || attempt > 100) throw toHomeError(error, path);
      }
    }
  }

  /** Gives a backup its old name again, in place of what has it now. @returns false where there is no such backup any more */
  putBack(kept: string, folder: PinnedFolder, name: string): boolean {
    if (!isBackupPath(kept)) return false;
    const slash = kept.lastIndexOf('/');
    try {
      const place = this.#home.folder(kept.slice(0, slash));
      const keptName = kept.slice(slash + 1);
      if (!['file', 'symlink'].includes(look(place, keptName).kind)) return false;
      renameSync(place.entry(keptName), folder.entry(name));
      return true;
    } catch (error) {
      const failure = toHomeError(error, kept);
      if (hasCode(error, 'ENOENT') || hasCode(failure.cause, 'ENOENT')) return false;
      throw failure;
    }
  }
}

/** What the manifest says may have been edited by hand. */
function isBackupPath(path: string): boolean {
  const segments = path.split('/');
  const plain = segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  return path.startsWith(`${backupFolder}/`) && plain && segments.length >= 4 && !path.includes('\0');
}

/**
 * The bytes of a backup that a report named.
 * @throws SpoonError `not-found`, `not-a-regular-file`, `body-too-large`, `path-…`
 */
export function readBackup(home: string, path: string): Buffer {
  if (!isBackupPath(path)) throw new SpoonError('not-found', 'That is not a backup.');
  const segments = path.split('/');
  const directory = HomeDirectory.open(home);
  try {
    const folder = directory.folder(segments.slice(0, -1).join('/'));
    return readRegularFile(folder, segments[segments.length - 1] ?? '', maxFileBytes);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new SpoonError('not-found', 'That backup is gone.', { cause: error });
    if (hasCode(error, 'ELOOP', 'ENXIO')) throw new SpoonError('not-a-regular-file', path, { cause: error });
    throw toHomeError(error, path);
  } finally {
    directory.close();
  }
}
