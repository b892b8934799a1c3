import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SpoonError } from '../protocol/errors.ts';
import { maxFileBytes } from '../protocol/limits.ts';
import { type CommandLine, UsageError } from './commandLine.ts';
import { systemReason } from './systemReason.ts';

/** After this long without a byte it is said what is being waited for. */
const silenceMs = 2_000;

/** Whether somebody gave stdin on purpose: a pipe, a file or a socket; neither a terminal nor `/dev/null`. */
export function isStdinGiven({ stdin }: CommandLine): boolean {
  if (stdin.isTTY) return false;
  try {
    const info = fstatSync(0);
    return info.isFIFO() || info.isFile() || info.isSocket();
  } catch {
    // Closed (`<&-`).
    return false;
  }
}

/** @throws SpoonError `body-too-large` */
export async function readStdin(line: CommandLine): Promise<Buffer> {
  const notice = setTimeout(() => line.note('Reading the content from stdin. Another source: --from FILE.'), silenceMs);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of line.stdin as AsyncIterable<Buffer>) {
      clearTimeout(notice);
      length += chunk.length;
      checkSize(length);
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(notice);
  }
  return Buffer.concat(chunks);
}

/** One regular file with its permission bits; links are followed. @throws UsageError, SpoonError `body-too-large` */
export async function readLocalFile(file: string): Promise<{ bytes: Buffer; mode: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const info = await handle.stat();
    if (info.isDirectory()) throw new UsageError(`${file} is a folder. Give one file at a time.`);
    checkSize(info.size);
    return { bytes: await handle.readFile(), mode: info.mode & 0o777 };
  } catch (error) {
    if (error instanceof UsageError || error instanceof SpoonError) throw error;
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UsageError(
      isMissing ? `There is no file ${file} here.` : `${file} cannot be read: ${systemReason(error)}.`,
    );
  } finally {
    await handle?.close();
  }
}

function checkSize(bytes: number): void {
  if (bytes > maxFileBytes) {
    throw new SpoonError('body-too-large', `A dotfile may have ${maxFileBytes / 1024 / 1024} MiB. Nothing was sent.`);
  }
}
