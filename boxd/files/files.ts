import { constants, copyFileSync, mkdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { cp, opendir, rm } from 'node:fs/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { checkFilePath } from '../../protocol/filePath.ts';
import type { FileMoveRequest, FileStat, FolderEntries, FolderEntry } from '../../protocol/homeFiles.ts';
import { maxEditedFileBytes, maxFolderEntries } from '../../protocol/limits.ts';
import { readRegularFile, temporaryPrefix, writeFile } from '../home/homeFiles.ts';
import { toFileError } from './fileErrors.ts';
import { describePlace, HomePlaces, kindOf, type Place, versionOf } from './homePlaces.ts';

/** What a save is based on: this version of the file, or nothing there. */
export type WriteBase = { readonly version: string } | 'create';

const newFileMode = 0o644;
const newFolderMode = 0o755;
const permissionBits = 0o777;
const decoder = new TextDecoder('utf-8', { fatal: true });
/** A file that is written all the time is not worth more tries. */
const readTries = 3;

/**
 * Files of the home for an editor, checkouts included. Links are followed inside the home (`security.md` decision 6);
 * what is not a file is never opened, so nothing waits for a FIFO. Every method throws SpoonError.
 */
export class Files {
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  stat(path: string): Promise<FileStat> {
    return this.#at(path, 'reading', (places) => statOf(places.target(path), path));
  }

  list(path: string): Promise<FolderEntries> {
    return this.#at(path, 'reading', async (places) => {
      const place = found(places.target(path), path);
      if (kindOf(place) !== 'directory') throw new SpoonError('path-kind-conflict', `${path} is not a folder.`);
      const entries: FolderEntry[] = [];
      // Raw names: one that is not UTF-8 has no address here and is left out.
      const listing = await opendir(place.folder.entry(place.name === '' ? '.' : place.name), {
        encoding: 'buffer' as BufferEncoding,
        bufferSize: 512,
      });
      for await (const entry of listing) {
        const name = readName(entry.name as unknown as Uint8Array);
        if (name === undefined || name.startsWith(temporaryPrefix)) continue;
        if (entries.length === maxFolderEntries) return { entries, truncated: true };
        if (!entry.isSymbolicLink()) {
          const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other';
          entries.push({ name, kind, isLink: false });
          continue;
        }
        const target = places.target(path === '' ? name : `${path}/${name}`);
        entries.push({ name, kind: kindOf(target), isLink: true });
      }
      return { entries, truncated: false };
    });
  }

  /** The bytes with the version that they are of; a change while they are read makes the version the older one. */
  read(path: string): Promise<{ stat: FileStat; bytes: Buffer }> {
    return this.#at(path, 'reading', (places) => {
      for (let tries = 1; ; tries++) {
        const place = regular(found(places.target(path), path), path);
        const stat = statOf(place, path);
        const bytes = readRegularFile(place.folder, place.name, maxEditedFileBytes);
        const after = places.target(path).stat;
        if (tries === readTries || (after !== undefined && versionOf(after) === stat.version)) return { stat, bytes };
      }
    });
  }

  /** @throws SpoonError `file-exists`, `version-stale`, `not-found` without the folder above */
  write(path: string, bytes: Uint8Array, base: WriteBase): Promise<FileStat> {
    return this.#at(path, 'writing', (places) => {
      const place = places.target(named(path));
      if (place.isLost) throw new SpoonError('path-through-symlink', `${path} leads to nothing in the home.`);
      if (place.stat === undefined) {
        if (base !== 'create') throw new SpoonError('version-stale', `${path} is gone.`);
      } else {
        regular(place, path);
        if (base === 'create') throw new SpoonError('file-exists', path);
        if (base.version !== versionOf(place.stat)) throw new SpoonError('version-stale', path);
      }
      const mode = place.stat === undefined ? newFileMode : Number(place.stat.mode) & permissionBits;
      writeFile(place.folder, place.name, bytes, mode);
      return statOf(places.target(path), path);
    });
  }

  createFolder(path: string): Promise<FileStat> {
    return this.#at(path, 'writing', (places) => {
      const { folder, name, stat } = places.own(named(path));
      if (stat !== undefined) throw new SpoonError('file-exists', path);
      mkdirSync(folder.entry(name), newFolderMode);
      return statOf(places.target(path), path);
    });
  }

  /** Links are removed, not followed. Of a folder nothing is left, or, without `recursive`, it must be empty. */
  remove(path: string, recursive: boolean): Promise<undefined> {
    return this.#at(path, 'writing', async (places) => {
      const { folder, name, stat } = found(places.own(named(path)), path);
      const at = folder.entry(name);
      if (!stat?.isDirectory()) unlinkSync(at);
      else if (recursive) await rm(at, { recursive: true });
      else rmdirSync(at);
      return undefined;
    });
  }

  move({ from, to, overwrite = false }: FileMoveRequest): Promise<FileStat> {
    return this.#at(to, 'writing', (places) => {
      const source = found(places.own(named(from)), from);
      const target = this.#destination(places, { from, to, overwrite });
      renameSync(source.folder.entry(source.name), target.folder.entry(target.name));
      return statOf(places.target(to), to);
    });
  }

  copy({ from, to, overwrite = false }: FileMoveRequest): Promise<FileStat> {
    return this.#at(to, 'writing', async (places) => {
      const source = found(places.own(named(from)), from);
      const target = this.#destination(places, { from, to, overwrite });
      const [at, into] = [source.folder.entry(source.name), target.folder.entry(target.name)];
      if (source.stat?.isFile()) copyFileSync(at, into, overwrite ? 0 : constants.COPYFILE_EXCL);
      else if (source.stat?.isDirectory() || source.stat?.isSymbolicLink()) {
        await cp(at, into, { recursive: true, verbatimSymlinks: true, force: overwrite, errorOnExist: !overwrite });
      } else throw new SpoonError('not-a-regular-file', from);
      return statOf(places.target(to), to);
    });
  }

  #destination(places: HomePlaces, { from, to, overwrite }: Required<FileMoveRequest>): Place {
    const target = places.own(named(to));
    if (target.stat !== undefined && !overwrite) throw new SpoonError('file-exists', to);
    if (to.startsWith(`${from}/`)) throw new SpoonError('path-kind-conflict', 'A folder cannot go into itself.');
    return target;
  }

  async #at<T>(path: string, doing: 'reading' | 'writing', work: (places: HomePlaces) => T | Promise<T>): Promise<T> {
    checkFilePath(path);
    const places = new HomePlaces(this.#home);
    try {
      return await work(places);
    } catch (error) {
      throw toFileError(error, path, doing);
    } finally {
      places.close();
    }
  }
}

function statOf(place: Place, path: string): FileStat {
  if (place.stat === undefined) throw new SpoonError('not-found', path);
  return describePlace(place, place.stat);
}

function found(place: Place, path: string): Place {
  if (place.stat === undefined) throw new SpoonError('not-found', path);
  return place;
}

function regular(place: Place, path: string): Place {
  if (place.isLost) throw new SpoonError('path-through-symlink', `${path} leads to nothing in the home.`);
  if (kindOf(place) === 'directory') throw new SpoonError('path-kind-conflict', `${path} is a folder.`);
  if (kindOf(place) !== 'file') throw new SpoonError('not-a-regular-file', path);
  return place;
}

/** The home itself can be neither written nor renamed. */
function named(path: string): string {
  if (checkFilePath(path) === '') throw new SpoonError('path-empty');
  return path;
}

function readName(raw: Uint8Array): string | undefined {
  try {
    return decoder.decode(raw);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
