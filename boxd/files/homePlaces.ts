import { accessSync, type BigIntStats, constants, lstatSync, realpathSync } from 'node:fs';
import type { FileStat } from '../../protocol/homeFiles.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { isErrno } from '../home/homeErrors.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';

/** A name in a folder that stays the same folder, whatever becomes of its path meanwhile. */
export interface Place {
  readonly folder: PinnedFolder;
  readonly name: string;
  /** Undefined: nothing is there. */
  readonly stat: BigIntStats | undefined;
  /** Was reached through a link. */
  readonly isLink: boolean;
  /** A link to nowhere, in a circle, or out of the home. */
  readonly isLost: boolean;
}

/** Finds places of one home. Made for one request, closed after it. */
export class HomePlaces {
  readonly #home: HomeDirectory;
  readonly #root: string;

  constructor(home: string) {
    this.#home = HomeDirectory.open(home);
    this.#root = realpathSync(home);
  }

  /** The name itself, also when it is a link: what is renamed and deleted. */
  own(path: string): Place {
    const slash = path.lastIndexOf('/');
    const folder = this.#home.folder(path.slice(0, Math.max(0, slash)));
    const name = path.slice(slash + 1);
    const stat = lstatSync(folder.entry(name === '' ? '.' : name), { bigint: true, throwIfNoEntry: false });
    return { folder, name, stat, isLink: false, isLost: false };
  }

  /** What is there; of a link, what it leads to, as long as that is in the home. */
  target(path: string): Place {
    return this.follow(this.own(path));
  }

  follow(own: Place): Place {
    if (!own.stat?.isSymbolicLink()) return own;
    const lost: Place = { ...own, isLink: true, isLost: true };
    try {
      const real = realpathSync.native(own.folder.entry(own.name));
      if (!real.startsWith(`${this.#root}/`)) return lost;
      const target = this.own(real.slice(this.#root.length + 1));
      // Swapped for a link between the two looks; the next look sees it.
      if (target.stat === undefined || target.stat.isSymbolicLink()) return lost;
      return { ...target, isLink: true };
    } catch (error) {
      if (!isErrno(error)) throw error;
      return lost;
    }
  }

  close(): void {
    this.#home.close();
  }
}

export function kindOf({ stat, isLost }: Place): FileStat['kind'] {
  if (isLost || stat === undefined) return 'other';
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
}

export function versionOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}`;
}

export function describePlace(place: Place, stat: BigIntStats): FileStat {
  const kind = kindOf(place);
  return {
    kind,
    isLink: place.isLink,
    size: kind === 'file' ? Number(stat.size) : 0,
    createdMs: Math.max(0, Number(stat.birthtimeMs)),
    modifiedMs: Math.max(0, Number(stat.mtimeMs)),
    isWritable: !place.isLost && mayWrite(place),
    version: versionOf(stat),
  };
}

function mayWrite({ folder, name }: Place): boolean {
  try {
    accessSync(folder.entry(name === '' ? '.' : name), constants.W_OK);
    return true;
  } catch (error) {
    if (!isErrno(error)) throw error;
    return false;
  }
}
