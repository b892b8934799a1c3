import { lstat, open, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileToSave } from '../../client/saveMany.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { importedFileMode } from '../../protocol/fileMode.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import { isIgnored, isIgnoredName } from '../../protocol/ignoredFiles.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import { UsageError } from '../commandLine.ts';
import { systemReason } from '../systemReason.ts';

/** A private key shows itself within them. */
const headBytes = 256;

export type LocalFile = Omit<FileToSave, 'base'> & { readonly kind: NonNullable<FileToSave['kind']> };

export interface LocalFolder {
  readonly files: LocalFile[];
  readonly ignored: string[];
  /** What cannot be a dotfile, with the reason. */
  readonly refused: { path: string; why: string }[];
}

/**
 * All that is in a folder of this machine, as it is: links as links, with modes, nothing followed. Bytes are read later, one
 * file at a time.
 * @param below where in the home it goes; empty for the home itself
 * @throws UsageError when the folder itself cannot be read
 */
export async function readLocalFolder(folder: string, below: string): Promise<LocalFolder> {
  const found: LocalFolder = { files: [], ignored: [], refused: [] };
  await walk(folder, '', below, found).catch((error: unknown) => {
    throw new UsageError(`${folder} cannot be read: ${systemReason(error)}.`);
  });
  return found;
}

async function walk(folder: string, inFolder: string, below: string, found: LocalFolder): Promise<number> {
  const names = (await readdir(join(folder, inFolder))).sort();
  for (const name of names) {
    const local = inFolder === '' ? name : `${inFolder}/${name}`;
    if (isIgnoredName(name) || isIgnored(local)) {
      found.ignored.push(local);
      continue;
    }
    try {
      await take(folder, local, below, found);
    } catch (error) {
      const why = error instanceof SpoonError ? error.message : systemReason(error);
      found.refused.push({ path: local, why });
    }
  }
  return names.length;
}

async function take(folder: string, local: string, below: string, found: LocalFolder): Promise<void> {
  const place = join(folder, local);
  const info = await lstat(place);
  // Some file systems decompose names.
  const path = parseHomePath(`${below === '' ? '' : `${below}/`}${local.normalize('NFC')}`);
  if (info.isSymbolicLink()) {
    const target = await readlink(place, 'buffer');
    found.files.push({ path, kind: 'symlink', size: target.length, bytes: async () => target });
  } else if (info.isDirectory()) {
    const count = await walk(folder, local, below, found);
    if (count > 0) return;
    const mode = info.mode & 0o777;
    found.files.push({ path, kind: 'directory', mode, size: 0, bytes: async () => new Uint8Array() });
  } else if (info.isFile()) {
    if (info.size > maxFileBytes) throw new SpoonError('body-too-large', `A dotfile may have ${maxFileBytes} bytes.`);
    const mode = importedFileMode(path, await readHead(place), info.mode);
    found.files.push({ path, kind: 'file', mode, size: info.size, bytes: () => readNow(place) });
  } else throw new SpoonError('not-a-regular-file', 'It is a pipe, a socket or a device.');
}

/** The first bytes, which decide over the mode. */
async function readHead(place: string): Promise<Uint8Array> {
  const handle = await open(place, 'r');
  try {
    const head = new Uint8Array(headBytes);
    return head.subarray(0, (await handle.read(head)).bytesRead);
  } finally {
    await handle.close();
  }
}

/** @throws SpoonError for a file that went away or may not be read: the others go on */
async function readNow(place: string): Promise<Uint8Array> {
  try {
    return await readFile(place);
  } catch (error) {
    throw new SpoonError('request-invalid', `It cannot be read: ${systemReason(error)}.`, { cause: error });
  }
}
