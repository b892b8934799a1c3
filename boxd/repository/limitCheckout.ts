import { SpoonError } from '../../protocol/errors.ts';
import { maxRepositoryFiles } from '../../protocol/limits.ts';
import { gitError } from '../git/gitErrors.ts';
import type { RunGit } from './gitRunner.ts';

const mebi = 1024 * 1024;

/**
 * Before any of it is written: a pack of a few kilobytes can hold files of many gigabytes.
 * @param maxBytes of all files of the commit together, and of `otherBytes` that are counted with them
 * @returns the bytes of all of these
 * @throws SpoonError `repository-too-large`
 */
export async function limitCheckout(
  run: RunGit,
  folder: string,
  commit: string,
  maxBytes: number,
  otherBytes = 0,
): Promise<number> {
  const size = new TreeSize();
  const fits = () => otherBytes + size.bytes <= maxBytes && size.files <= maxRepositoryFiles;
  const onOutput = (chunk: Buffer) => {
    size.add(chunk);
    return fits();
  };
  const { code, stderr } = await run(folder, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit], { onOutput });
  if (size.files > maxRepositoryFiles) throw tooLarge(`more than ${maxRepositoryFiles} files`);
  if (otherBytes + size.bytes > maxBytes) throw tooLarge(`more than ${Math.round(maxBytes / mebi)} MiB of files`);
  if (code !== 0) throw gitError(stderr);
  return otherBytes + size.bytes;
}

function tooLarge(what: string): SpoonError {
  return new SpoonError('repository-too-large', `It has ${what}. None was written. Keep large files elsewhere.`);
}

/** What `git ls-tree -l -z` says, as it arrives: `100644 blob 8d1c8b…      42\tpath`, each with a NUL behind it. */
class TreeSize {
  bytes = 0;
  files = 0;
  /** An entry of which the end is still to come; only what is before the tab matters. */
  #rest = '';

  add(chunk: Buffer): void {
    const entries = (this.#rest + chunk.toString('latin1')).split('\0');
    this.#rest = entries.pop() ?? '';
    for (const entry of entries) {
      this.files++;
      // A submodule has none.
      const size = Number(entry.slice(0, entry.indexOf('\t')).split(/ +/)[3]);
      if (Number.isSafeInteger(size)) this.bytes += size;
    }
  }
}
