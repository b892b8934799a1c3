import { lstatSync } from 'node:fs';
import type { HomeEntry } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { frame } from '../../protocol/overlayFrames.ts';
import { HomeDirectory } from '../home/homeDirectory.ts';
import { hasCode, toHomeError } from '../home/homeErrors.ts';
import { look, readRegularFile } from '../home/homeFiles.ts';
import type { PinnedFolder } from '../home/pinnedFolder.ts';

const nothing: HomeEntry = { kind: 'missing', mode: 0, size: 0, modifiedMs: 0 };
const noBytes = new Uint8Array();

/** What is at a name, without its bytes. */
export function describeEntry(folder: PinnedFolder, name: string): HomeEntry {
  const stat = lstatSync(folder.entry(name), { throwIfNoEntry: false });
  if (stat === undefined) return nothing;
  const kind = stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'symlink' : stat.isDirectory() ? 'directory' : 'other';
  return { kind, mode: stat.mode & 0o777, size: stat.size, modifiedMs: Math.max(0, Math.round(stat.mtimeMs)) };
}

/**
 * One entry of the home with its bytes, as frames: of a file its content, of a link its target. Never opens what could make
 * it wait, and follows links only where they stay in the home.
 * @throws SpoonError `path-…`, `path-through-symlink`, `body-too-large`, `home-not-writable`
 */
export function readHomeEntry(home: string, text: string): Uint8Array {
  const path = parseHomePath(text);
  const slash = path.lastIndexOf('/');
  const directory = HomeDirectory.open(home);
  try {
    const folder = directory.folder(path.slice(0, Math.max(0, slash)));
    const name = path.slice(slash + 1);
    const entry = describeEntry(folder, name);
    const bytes = readEntryBytes(folder, name, entry);
    return answer({ ...entry, size: bytes.length }, bytes);
  } catch (error) {
    const failure = toHomeError(error, path);
    // A folder on the way is gone, or is a file now.
    if (failure.code === 'path-kind-conflict' || hasCode(failure.cause, 'ENOENT')) return answer(nothing, noBytes);
    if (hasCode(error, 'ELOOP', 'ENXIO')) throw new SpoonError('not-a-regular-file', path, { cause: error });
    throw failure;
  } finally {
    directory.close();
  }
}

/** Of a file its content, of a link its target. @throws SpoonError `body-too-large`, `not-a-regular-file` */
export function readEntryBytes(folder: PinnedFolder, name: string, { kind }: HomeEntry): Uint8Array {
  if (kind === 'file') return readRegularFile(folder, name, maxFileBytes);
  if (kind !== 'symlink') return noBytes;
  const found = look(folder, name);
  return found.kind === 'symlink' ? found.target : noBytes;
}

function answer(entry: HomeEntry, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([...frame(Buffer.from(JSON.stringify(entry))), ...frame(bytes)]);
}
