import { createTarDecoder, type TarHeader } from 'modern-tar';
import { SpoonError } from '../../protocol/errors.ts';

export interface ArchiveCount {
  files: number;
  bytes: number;
}

/** What a global header of pax may not set for all that follow it. */
const renaming = /^(path|linkpath|GNU\.sparse\..*)$/;

/**
 * Passes a tar archive on and looks at every entry on its way: only files, folders and links, hard links only to what is in
 * it, nothing out of the home, nothing below a link. Ends well only when all of it was well, and only then may what was
 * unpacked count. (That tar has unpacked the last entries by then does no harm: it makes links that lead away last.)
 * @throws SpoonError `archive-refused` (with `entry`), `archive-invalid`
 */
export async function* checkArchive(
  archive: AsyncIterable<Uint8Array>,
  count: ArchiveCount,
): AsyncGenerator<Uint8Array> {
  const decoder = createTarDecoder({ strict: true });
  const writer = (decoder.writable as WritableStream<Uint8Array>).getWriter();
  const links = new Set<string>();
  let entries = 0;
  const looking = (async () => {
    for await (const { header, body } of decoder.readable) {
      entries++;
      checkEntry(header, links);
      if (header.type === 'file') count.files++;
      for await (const part of body) count.bytes += part.length;
    }
  })();
  // Waited for at the end; a failure before that ends the loop below.
  let failure: unknown;
  looking.catch((error: unknown) => {
    failure ??= error;
  });
  const fail = (error: unknown): SpoonError =>
    error instanceof SpoonError ? error : new SpoonError('archive-invalid', undefined, { cause: error });
  try {
    for await (const chunk of archive) {
      await writer.write(chunk);
      if (failure !== undefined) throw failure;
      yield chunk;
    }
    await writer.close();
    await looking;
  } catch (error) {
    throw fail(failure ?? error);
  }
  if (entries === 0) throw new SpoonError('archive-invalid', 'It is empty, or no tar archive.');
}

function checkEntry(header: TarHeader, links: Set<string>): void {
  const { type, pax = {} } = header;
  if (type === 'pax-global-header') {
    if (Object.keys(pax).some((key) => renaming.test(key))) throw refused(header, 'It renames what follows it.');
    return;
  }
  // Of a sparse file the name in the header is not the one that it gets.
  const names = [header.name, pax['GNU.sparse.name'] ?? header.name].map((name) => insideHome(header, name));
  if (type === 'symlink') {
    for (const name of names) links.add(name);
  } else if (type === 'link') {
    if (isBelow(insideHome(header, header.linkname ?? ''), links)) throw refused(header, 'It leads through a link.');
  } else if (type !== 'file' && type !== 'directory') {
    throw refused(header, 'It is neither a file, a folder nor a link.');
  }
  if (names.some((name) => isBelow(name, links))) throw refused(header, 'It lies below a link.');
}

/** @returns without what means nothing: `./a//b/` is `a/b` */
function insideHome(header: TarHeader, name: string): string {
  if (name.startsWith('/')) throw refused(header, 'It is an absolute path.');
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) throw refused(header, 'It leads out of the home.');
  if (name.includes('\0')) throw refused(header, 'Its name has a NUL.');
  return segments.join('/');
}

function isBelow(name: string, links: ReadonlySet<string>): boolean {
  for (let at = name.indexOf('/'); at !== -1; at = name.indexOf('/', at + 1)) {
    if (links.has(name.slice(0, at))) return true;
  }
  return false;
}

function refused({ name }: TarHeader, why: string): SpoonError {
  const entry = name.slice(0, 1024).replaceAll(/\p{Cc}/gu, '?');
  return new SpoonError('archive-refused', `${entry}: ${why}`, { extra: { entry } });
}
