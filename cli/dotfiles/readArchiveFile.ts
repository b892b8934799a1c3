import { readFile, stat } from 'node:fs/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { systemReason } from '../systemReason.ts';

/** An archive from a file or, as `-`, from stdin. @throws UsageError, SpoonError `archive-too-large` */
export async function readArchiveFile(line: CommandLine, source: string, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = (): SpoonError => new SpoonError('archive-too-large', `At most ${maxBytes} bytes.`);
  if (source !== '-') {
    try {
      if ((await stat(source)).size > maxBytes) throw tooLarge();
      return await readFile(source);
    } catch (error) {
      if (error instanceof SpoonError) throw error;
      throw new UsageError(`${source} cannot be read: ${systemReason(error)}.`);
    }
  }
  if (line.stdin.isTTY) throw new UsageError('Pipe an archive into it, or name a file.');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of line.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
