import { hash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  linkSync,
  lstatSync,
  opendirSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import { hasCode } from './homeErrors.ts';
import { type PinnedFolder, pinFlags } from './pinnedFolder.ts';

export const temporaryPrefix = '.spoon-tmp-';
const permissionBits = 0o777;
const readChunkBytes = 64 * 1024;

export interface FileStamp {
  readonly size: number;
  readonly mtimeNs: string;
  readonly mode: number;
}

export type FoundEntry =
  | { readonly kind: 'missing' | 'other' }
  | ({ readonly kind: 'file' } & FileStamp)
  | { readonly kind: 'symlink'; readonly target: Buffer; readonly mtimeNs: string }
  | { readonly kind: 'directory'; readonly mode: number; readonly empty: boolean };

/** What a name in a folder stands for; never opens anything, so never waits for a FIFO. */
export function look(folder: PinnedFolder, name: string): FoundEntry {
  const at = folder.entry(name);
  const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return { kind: 'missing' };
  const mode = Number(stat.mode) & permissionBits;
  if (stat.isFile()) return { kind: 'file', size: Number(stat.size), mtimeNs: String(stat.mtimeNs), mode };
  if (stat.isDirectory()) return { kind: 'directory', mode, empty: isEmpty(at) };
  if (!stat.isSymbolicLink()) return { kind: 'other' };
  return { kind: 'symlink', target: readlinkSync(at, 'buffer'), mtimeNs: String(stat.mtimeNs) };
}

/** A folder that may not be listed counts as not empty. */
function isEmpty(at: string): boolean {
  try {
    const listing = opendirSync(at, { bufferSize: 1 });
    try {
      return listing.readSync() === null;
    } finally {
      listing.closeSync();
    }
  } catch (error) {
    if (hasCode(error, 'EACCES', 'ENOTDIR', 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Bytes of a regular file, counted while they are read: a file may grow meanwhile.
 * @throws SpoonError `not-a-regular-file`, `body-too-large`
 */
export function readRegularFile(folder: PinnedFolder, name: string, maxBytes: number): Buffer {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = openSync(folder.entry(name), flags);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new SpoonError('not-a-regular-file');
    if (stat.size > maxBytes) throw new SpoonError('body-too-large');
    const chunks: Buffer[] = [];
    let bytes = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(Math.min(readChunkBytes, Math.max(stat.size - bytes, 1)));
      const count = readSync(fd, chunk);
      if (count === 0) return Buffer.concat(chunks, bytes);
      bytes += count;
      if (bytes > maxBytes) throw new SpoonError('body-too-large');
      chunks.push(chunk.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

const processTag = randomBytes(8).toString('hex');
let temporaryCount = 0;

/** Not to be guessed does not matter, O_EXCL does; a random tag once keeps two processes apart. */
function temporaryName(): string {
  return `${temporaryPrefix}${processTag}-${temporaryCount++}`;
}

/**
 * Writes beside and renames over, so that every reader sees the old bytes or the new ones. Whatever link, hard link or
 * empty place had the name, only the name is replaced. No fsync: the store is the durable copy.
 */
export function writeFile(folder: PinnedFolder, name: string, bytes: Uint8Array, mode: number): FileStamp {
  const temporary = folder.entry(temporaryName());
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = openSync(temporary, flags, mode);
  return removingOnFailure(temporary, () => {
    const stamp = fill(fd, bytes, mode);
    renameSync(temporary, folder.entry(name));
    return stamp;
  });
}

function fill(fd: number, bytes: Uint8Array, mode: number): FileStamp {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    const stat = fstatSync(fd, { bigint: true });
    // The process's umask, or a default ACL of the folder, took bits away.
    if ((Number(stat.mode) & permissionBits) !== mode) fchmodSync(fd, mode);
    return { size: Number(stat.size), mtimeNs: String(stat.mtimeNs), mode };
  } finally {
    closeSync(fd);
  }
}

export function writeLink(folder: PinnedFolder, name: string, target: Uint8Array): FileStamp {
  const temporary = folder.entry(temporaryName());
  symlinkSync(Buffer.from(target), temporary);
  return removingOnFailure(temporary, () => {
    const { size, mtimeNs } = lstatSync(temporary, { bigint: true });
    renameSync(temporary, folder.entry(name));
    return { size: Number(size), mtimeNs: String(mtimeNs), mode: permissionBits };
  });
}

function removingOnFailure<T>(temporary: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

/** Of exactly the file or folder that has the name now; a link in its place is left alone. @throws SpoonError */
export function setMode(folder: PinnedFolder, name: string, mode: number): void {
  const fd = openSync(folder.entry(name), pinFlags);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() && !stat.isDirectory()) throw new SpoonError('not-a-regular-file');
    chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}

/**
 * Gives what has a name a second one in a folder of backups: a hard link, so that there is no moment without the file,
 * and a program that still writes to it writes into the backup.
 */
export function keepAside(from: PinnedFolder, name: string, to: PinnedFolder, asName: string): void {
  try {
    linkSync(from.entry(name), to.entry(asName));
  } catch (error) {
    // Another file system, one without hard links, or a file of somebody else (protected_hardlinks, proc(5)).
    if (!hasCode(error, 'EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP')) throw error;
    const found = look(from, name);
    if (found.kind === 'symlink') symlinkSync(found.target, to.entry(asName));
    else copyRegularFile(from.entry(name), to.entry(asName));
  }
}

function copyRegularFile(from: string, to: string): void {
  const fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new SpoonError('not-a-regular-file');
    copyFileSync(`/proc/self/fd/${fd}`, to, constants.COPYFILE_EXCL);
  } finally {
    closeSync(fd);
  }
}

export function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
