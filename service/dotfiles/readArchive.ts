import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createTarDecoder, type ParsedTarEntry, type TarHeader } from 'modern-tar';
import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { expectedDirectoryMode } from '../../protocol/fileMode.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { isIgnored } from '../../protocol/ignoredFiles.ts';
import { maxArchiveBytes, maxArchiveRatio, maxDotfilesPerUser, maxFileBytes } from '../../protocol/limits.ts';
import { checkBytes } from './treeRules.ts';

export interface ArchivedFile {
  readonly path: HomePath;
  readonly kind: DotfileKind;
  readonly bytes: Uint8Array;
  /** A symbolic link has none of its own. */
  readonly mode: number | undefined;
}

export interface ReadArchive {
  readonly files: ArchivedFile[];
  readonly ignored: string[];
}

const gzipMagic = [0x1f, 0x8b];
/** Small archives of much the same have odd ratios and do no harm. */
const harmlessBytes = 1024 * 1024;
const noBytes = new Uint8Array();

/**
 * Reads a tar archive (ustar, pax, GNU long names), also one in gzip, entry by entry into memory. Nothing is unpacked to any
 * disk. One entry that breaks a rule refuses the archive by its name: hard links, devices, paths out of the home, a name
 * twice, anything below a link; and more entries, bytes or compression than are sensible.
 * @throws SpoonError `archive-invalid`, `archive-refused` (with `entry`), `archive-too-large`
 */
export async function readArchive(body: AsyncIterable<Buffer>): Promise<ReadArchive> {
  const decoder = createTarDecoder({ strict: true });
  const source = Readable.toWeb(Readable.from(unpacked(body), { objectMode: false }));
  // Its failure comes out at the other end too, where it is waited for.
  const fed = source.pipeThrough(decoder as ReadableWritablePair<ParsedTarEntry, Uint8Array>);
  const files = new Map<string, ArchivedFile>();
  const folders: ArchivedFile[] = [];
  const ignored: string[] = [];
  let entries = 0;
  try {
    for await (const { header, body: content } of fed) {
      if (header.type === 'pax-global-header') continue;
      if (++entries > maxDotfilesPerUser) throw tooLarge(`At most ${maxDotfilesPerUser} entries.`);
      const name = plainName(header.name);
      const bytes = await bytesOf(content, header);
      if (name === '') continue;
      if (isIgnored(name)) {
        ignored.push(name);
        continue;
      }
      const file = toFile(header, name, bytes);
      if (files.has(file.path)) throw refused(header, 'It is in the archive twice.');
      files.set(file.path, file);
      if (file.kind === 'directory') folders.push(file);
    }
  } catch (error) {
    if (error instanceof SpoonError) throw error;
    throw new SpoonError('archive-invalid', undefined, { cause: error });
  }
  if (entries === 0) throw new SpoonError('archive-invalid', 'It is empty, or no tar archive.');
  checkFolders(files);
  for (const { path } of folders.filter((folder) => isImplied(folder, files))) files.delete(path);
  return { files: [...files.values()], ignored };
}

/** `./a/` is `a`; what macOS decomposes is composed: a person made neither by hand. */
function plainName(name: string): string {
  return name
    .normalize('NFC')
    .replace(/^(?:\.\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}

function toFile(header: TarHeader, name: string, bytes: Uint8Array): ArchivedFile {
  const kind = kindOf(header);
  // Whoever packed it could read it, so its owner may; set-user-id and the like never enter a home.
  const mode = ((header.mode ?? (kind === 'directory' ? 0o755 : 0o644)) & 0o777) | 0o400;
  const content = kind === 'symlink' ? Buffer.from(header.linkname ?? '') : bytes;
  try {
    const path = parseHomePath(name);
    checkBytes(kind, content);
    return { path, kind, bytes: kind === 'directory' ? noBytes : content, mode: kind === 'symlink' ? undefined : mode };
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    throw refused(header, error.message, error);
  }
}

function kindOf(header: TarHeader): DotfileKind {
  switch (header.type) {
    case 'file':
    case 'symlink':
    case 'directory':
      return header.type;
    case 'link':
      throw refused(header, 'It is a hard link. Pack it with --hard-dereference.');
    default:
      throw refused(header, 'It is neither a file, a symbolic link nor a folder.');
  }
}

async function bytesOf(content: ReadableStream<Uint8Array>, header: TarHeader): Promise<Uint8Array> {
  if (header.size > maxFileBytes) throw refused(header, `It is larger than ${maxFileBytes} bytes.`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return chunks.length === 1 ? (chunks[0] ?? noBytes) : Buffer.concat(chunks);
}

/** Nothing may lie below a file or a link, whatever the order of the entries. */
function checkFolders(files: ReadonlyMap<string, ArchivedFile>): void {
  for (const { path } of files.values()) {
    for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
      const above = files.get(path.slice(0, at));
      if (above === undefined || above.kind === 'directory') continue;
      throw new SpoonError('archive-refused', `${path}: ${above.path} is not a folder.`, { extra: { entry: path } });
    }
  }
}

/** A folder needs no dotfile of its own when it has something in it and the mode that it gets anyway. */
function isImplied({ path, mode }: ArchivedFile, files: ReadonlyMap<string, ArchivedFile>): boolean {
  if (mode !== expectedDirectoryMode(path) && mode !== 0o775) return false;
  for (const other of files.keys()) if (other.startsWith(`${path}/`)) return true;
  return false;
}

/** Gzip is told by its first bytes. Counts what comes out, and stops long before memory is a question. */
async function* unpacked(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let packedBytes = 0;
  const counted = async function* (first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
    for (let chunk: Buffer | undefined = first; chunk !== undefined; ) {
      packedBytes += chunk.length;
      if (packedBytes > maxArchiveBytes) throw tooLarge(`At most ${maxArchiveBytes} bytes.`);
      yield chunk;
      const { done, value } = await rest.next();
      chunk = done === true ? undefined : value;
    }
  };
  const iterator = body[Symbol.asyncIterator]();
  const { done, value } = await iterator.next();
  if (done === true) return;
  const packed = counted(value, iterator);
  if (!gzipMagic.every((byte, index) => value[index] === byte)) {
    yield* packed;
    return;
  }
  const gunzip = createGunzip();
  const feeding = Readable.from(packed, { objectMode: false });
  feeding.on('error', (error) => gunzip.destroy(error));
  feeding.pipe(gunzip);
  let bytes = 0;
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxArchiveBytes) throw tooLarge(`At most ${maxArchiveBytes} bytes.`);
    if (bytes > harmlessBytes && bytes > maxArchiveRatio * packedBytes) {
      throw tooLarge(`It is compressed more than ${maxArchiveRatio} times.`);
    }
    yield chunk;
  }
}

function refused({ name }: TarHeader, why: string, cause?: unknown): SpoonError {
  const entry = name.slice(0, 1024).replaceAll(/\p{Cc}/gu, '?');
  return new SpoonError('archive-refused', `${entry}: ${why}`, { cause, extra: { entry } });
}

function tooLarge(detail: string): SpoonError {
  return new SpoonError('archive-too-large', detail);
}
