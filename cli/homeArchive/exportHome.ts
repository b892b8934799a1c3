import { createWriteStream } from 'node:fs';
import { PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { connect } from '../connection.ts';
import { exitCodes } from '../exitCodes.ts';
import { PartialFile } from '../partialFile.ts';
import { systemReason } from '../systemReason.ts';
import { ByteProgress } from './byteProgress.ts';
import { programFailure, runInBox } from './runInBox.ts';

export interface ExportOptions {
  readonly exclude: readonly string[];
  readonly caches: boolean;
  readonly zstd?: true;
}

/** What programs make again by themselves. */
const caches = ['.cache', '.npm/_cacache', '.vscode-server', '.local/share/Trash'];
const maxShown = 10;

/**
 * `$@` is what find leaves out. Sockets, pipes and devices mean nothing elsewhere; other file systems are not the home.
 * Names go by NUL, since they may hold anything. What vanishes or cannot be read meanwhile is told and does not end it.
 */
const script = `
find . -mindepth 1 -xdev \\( -path ./.spoon -o -name '.spoon-tmp-*' -o -name '.spoon-trash-*' "$@" \\) -prune \\
  -o \\( -type f -o -type d -o -type l \\) -print0 |
tar --create --file=- --format=posix --pax-option=delete=atime,delete=ctime --sparse \\
  --owner=0 --group=0 --numeric-owner --ignore-failed-read \\
  --null --verbatim-files-from --no-unquote --no-recursion --files-from=-
`;

/** `spoonctl home export`. @param file stdout when left out */
export async function exportHome(
  line: CommandLine,
  file: string | undefined,
  options: ExportOptions,
  signal: AbortSignal,
): Promise<void> {
  if (file === undefined && line.stdout.isTTY) {
    throw new UsageError('An archive is no text. Name a file, or pipe it: spoonctl home export | tar -t');
  }
  const leftOut = [...(options.caches ? [] : caches), ...options.exclude.map(pathInHome)];
  const args = leftOut.flatMap((path) => ['-o', '-path', `./${path.replaceAll(/[\\*?[\]]/g, '\\$&')}`]);
  const connection = await connect(line);
  line.note(
    'The archive holds your home as it is: dotfiles in plain text, keys and tokens too. Keep it like a password.',
  );
  const partial = file === undefined ? undefined : await PartialFile.of(file);
  const target: Writable =
    partial === undefined ? line.stdout : createWriteStream(partial.path, { flags: partial.flags, mode: 0o600 });
  const isPacked = options.zstd === true || (file !== undefined && /\.t?zst$/.test(file));
  const packer = isPacked ? createZstdCompress() : new PassThrough();
  const failed = new AbortController();
  const written = pipeline(packer, target, { end: partial !== undefined });
  written.catch((error: unknown) => failed.abort(error));
  const progress = new ByteProgress(line);
  try {
    const end = await runInBox(connection, {
      script,
      args,
      onOutput(bytes, taken) {
        progress.add(bytes.length);
        packer.write(bytes, taken);
      },
      signal: AbortSignal.any([signal, failed.signal]),
    });
    if (end.code > 1) throw programFailure(end, 'The home could not be exported.');
    packer.end();
    await written;
    await partial?.commit();
    progress.end();
    tell(line, end.complaints);
    if (file !== undefined) line.note(`Wrote ${file}.`);
  } catch (error) {
    progress.end();
    packer.destroy();
    await partial?.discard();
    if (error instanceof Error && 'syscall' in error) {
      throw new UsageError(`${file ?? 'stdout'} cannot be written: ${systemReason(error)}.`);
    }
    throw error;
  }
}

/** What is missing counts as a failure; what changed meanwhile is only said. */
function tell(line: CommandLine, complaints: readonly string[]): void {
  for (const complaint of complaints.slice(0, maxShown)) line.note(complaint.replace(/^(tar|find): (Warning: )?/, ''));
  if (complaints.length > maxShown) line.note(`… and ${complaints.length - maxShown} more.`);
  if (complaints.some((complaint) => /denied|Input\/output error/.test(complaint))) line.exitCode = exitCodes.refused;
}

/** A shell of this machine makes `~/x` a path of its own home; quoted, or without it, it is meant in the box. */
function pathInHome(typed: string): string {
  const path = typed.replace(/^(~\/|\.\/)/, '').replace(/\/+$/, '');
  if (path === '' || path.startsWith('/') || path.split('/').includes('..')) {
    throw new UsageError(`--exclude takes a path below your home in the box, such as .cache; not ${typed}`);
  }
  return path;
}
