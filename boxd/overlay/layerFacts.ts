import { closeSync, constants, existsSync, fstatSync, lstatSync, opendirSync, openSync, readFileSync } from 'node:fs';
import type { HomeEntry, LayerFacts } from '../../protocol/boxd.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import { maxLayerBackups } from '../../protocol/limits.ts';
import { repositoryFolder } from '../../protocol/setupScript.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { look } from '../home/homeFiles.ts';
import { bashProfile } from '../home/homeStage.ts';
import { describeEntry, readEntryBytes } from './homeEntry.ts';

const skeletonFolder = '/etc/skel';
const nothing: HomeEntry = { kind: 'missing', mode: 0, size: 0, modifiedMs: 0 };
/** Applies that are looked through for a backup; the newest first. */
const maxApplies = 500;
const maxSkeletonBytes = 1024 * 1024;

/**
 * What is known about who made a path of the home, besides the manifest. Anything of it may be wrong: a person can have put
 * it there; it is told and not acted on.
 * @throws SpoonError `path-…`, `home-not-writable`
 */
export function layerFacts(home: string, text: string): Omit<LayerFacts, 'managed'> {
  const path = parseHomePath(text);
  const directory = HomeDirectory.open(home);
  try {
    const { entry, bytes } = lookAt(directory, path);
    const linkTarget = entry.kind === 'symlink' ? Buffer.from(bytes).toString('utf8').slice(0, 4096) : undefined;
    const skeleton = readSkeleton(path);
    return {
      home: entry,
      ...(linkTarget === undefined ? {} : { linkTarget }),
      ...linkedFrom(directory, path),
      madeBySpoon: path === '.bash_profile' && Buffer.from(bytes).equals(Buffer.from(bashProfile)),
      skeleton: skeleton === undefined ? 'none' : entry.kind === 'file' && skeleton.equals(bytes) ? 'same' : 'other',
      backups: backupsOf(directory, home, path),
    };
  } catch (error) {
    throw toHomeError(error, path);
  } finally {
    directory.close();
  }
}

function lookAt(directory: HomeDirectory, path: string): { entry: HomeEntry; bytes: Uint8Array } {
  const slash = path.lastIndexOf('/');
  try {
    const folder = directory.folder(path.slice(0, Math.max(0, slash)));
    const name = path.slice(slash + 1);
    const entry = describeEntry(folder, name);
    return { entry, bytes: readEntryBytes(folder, name, entry) };
  } catch (error) {
    const failure = toHomeError(error, path);
    if (failure.code === 'path-kind-conflict' || hasCode(failure.cause, 'ENOENT')) {
      return { entry: nothing, bytes: new Uint8Array() };
    }
    // Too large to be read, or not readable: its facts are enough.
    if (failure.code === 'body-too-large' || hasCode(failure.cause, 'EACCES')) {
      return { entry: { ...nothing, kind: 'other' }, bytes: new Uint8Array() };
    }
    throw failure;
  }
}

/** The first link on the way that leads into the checkout of the dotfiles repository. */
function linkedFrom(directory: HomeDirectory, path: string): { repositoryLink?: string } {
  const segments = path.split('/');
  for (const [index, name] of segments.entries()) {
    const above = segments.slice(0, index).join('/');
    try {
      const found = look(directory.folder(above), name);
      if (found.kind !== 'symlink') continue;
      const target = found.target.toString('utf8');
      if (target.split('/').includes(repositoryFolder))
        return { repositoryLink: segments.slice(0, index + 1).join('/') };
    } catch {
      // Missing, or behind something that cannot be entered: nothing to say about it.
      return {};
    }
  }
  return {};
}

function readSkeleton(path: string): Buffer | undefined {
  const at = `${skeletonFolder}/${path}`;
  if (!lstatSync(at, { throwIfNoEntry: false })?.isFile()) return undefined;
  const fd = openSync(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return fstatSync(fd).size > maxSkeletonBytes ? undefined : readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What was in the way of earlier applies, the newest first. By plain path: it is only named. */
function backupsOf(directory: HomeDirectory, home: string, path: string): string[] {
  const applies: string[] = [];
  try {
    const listing = opendirSync(directory.folder('.spoon/backup').entry('.'));
    try {
      for (let entry = listing.readSync(); entry !== null && applies.length < maxApplies; entry = listing.readSync()) {
        applies.push(entry.name);
      }
    } finally {
      listing.closeSync();
    }
  } catch {
    // None was ever needed, or somebody has replaced the folder.
    return [];
  }
  const found = applies
    .sort()
    .reverse()
    .map((apply) => `.spoon/backup/${apply}/${path}`);
  return found.filter((backup) => existsSync(`${home}/${backup}`)).slice(0, maxLayerBackups);
}
