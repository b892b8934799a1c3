import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SpoonError } from '../../protocol/errors.ts';
import { inBytes } from '../byteText.ts';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { type Connection, connect } from '../connection.ts';
import { systemReason } from '../systemReason.ts';
import { ByteProgress } from './byteProgress.ts';
import { type ArchiveCount, checkArchive } from './checkArchive.ts';
import { type Conflicts, findConflicts } from './findConflicts.ts';
import { type BoxProgramEnd, programFailure, runInBox } from './runInBox.ts';

const maxShown = 10;

/** Ends what another import left behind when its machine died. Folders alone: files in it may be links of files in the home. */
const remove = `
remove() {
  find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \\;
  rm -rf -- "$1"
}
`;

const unpack = `${remove}
find .spoon -mindepth 1 -maxdepth 1 -name 'import-*' -mmin +1440 -print | while read -r old; do remove "$old"; done
mkdir -m 700 -- "$1" || exit 2
tar --extract --file=- --directory="$1" --no-same-owner --preserve-permissions --delay-directory-restore \\
  --anchored --no-wildcards --exclude=./.spoon --exclude=.spoon
`;

/** One process for all files; what only the home has is one line for a whole folder. 1 means that there is something to say. */
const compare = `
cd "$1" && diff --recursive --brief --no-dereference . "$HOME"; [ $? -le 1 ]
`;

/**
 * By hard links, so that it takes no room and hardly any time: first what is to be replaced, named on stdin, then what is
 * not there. What is the same stays, so that read-only folders are no hindrance. cp goes through no link of the home on the way.
 */
const apply = `${remove}
(cd "$1" && xargs -0 -r cp --archive --link --remove-destination --parents --target-directory="$HOME" --) || exit
find "$1" -mindepth 1 -maxdepth 1 \\
  -exec cp --archive --link --update --remove-destination --target-directory="$HOME" -- {} + || exit
remove "$1"
`;

/** `spoonctl home import`. @param source `-` is stdin */
export async function importHome(
  line: CommandLine,
  source: string,
  { replace }: { replace?: true },
  signal: AbortSignal,
): Promise<void> {
  const { bytes, totalBytes } = await open(line, source);
  const connection = await connect(line);
  const stage = `.spoon/import-${randomUUID()}`;
  const run = async (script: string, input?: AsyncIterable<Uint8Array>): Promise<BoxProgramEnd & { said: string }> => {
    // Names are bytes: latin1 keeps them.
    const said: Uint8Array[] = [];
    const onOutput = (part: Uint8Array, taken: () => void): void => {
      said.push(part.slice());
      taken();
    };
    const program = { script, args: [stage], onOutput, signal, ...(input === undefined ? {} : { input }) };
    const end = await runInBox(connection, program);
    return { ...end, said: Buffer.concat(said).toString('latin1') };
  };
  const count: ArchiveCount = { files: 0, bytes: 0 };
  const progress = new ByteProgress(line, totalBytes);
  try {
    const unpacked = await run(unpack, checkArchive(unpackedBytes(counted(bytes, progress)), count));
    progress.end();
    if (unpacked.code !== 0) throw programFailure(unpacked, 'Nothing was imported.');
    const compared = await run(compare);
    if (compared.code !== 0) throw programFailure(compared, 'Nothing was imported.');
    const conflicts = findConflicts(compared.said);
    refuseConflicts(conflicts, replace === true);
    const names = conflicts.replaceable.map((name) => Buffer.from(`./${name}\0`, 'latin1'));
    const applied = await run(apply, Readable.from(names));
    if (applied.code !== 0) throw programFailure(applied, 'Some of it may be in the home, the rest is not.');
  } catch (error) {
    progress.end();
    await discard(connection, stage);
    if (error instanceof Error && 'errno' in error && 'syscall' in error) {
      throw new UsageError(`${source} cannot be read: ${systemReason(error)}. Nothing was imported.`);
    }
    throw error;
  }
  line.note(`Imported ${count.files === 1 ? '1 file' : `${count.files} files`}, ${inBytes(count.bytes)}.`);
}

/** @throws SpoonError `home-files-exist`, `path-kind-conflict` */
function refuseConflicts({ unmovable, replaceable }: Conflicts, replace: boolean): void {
  const inWords = (names: readonly string[]): string => {
    const shown = names.slice(0, maxShown).map((name) => `~/${Buffer.from(name, 'latin1').toString()}`);
    return `${shown.join(', ')}${names.length > maxShown ? ` and ${names.length - maxShown} more` : ''}`;
  };
  if (unmovable.length > 0) {
    throw new SpoonError(
      'path-kind-conflict',
      `${inWords(unmovable)}: a folder on one side only, or a line break in the name. Move it away first. Nothing was imported.`,
    );
  }
  if (replaceable.length > 0 && !replace) {
    throw new SpoonError('home-files-exist', `${inWords(replaceable)}. To replace them: --replace`);
  }
}

/** Best effort after a failure that is told already; the next import a day later removes what is left. */
async function discard(connection: Connection, stage: string): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  const script = `${remove}\nif [ -d "$1" ]; then remove "$1"; fi`;
  await runInBox(connection, { script, args: [stage], onOutput: (_, taken) => taken(), signal }).catch(() => undefined);
}

async function open(
  line: CommandLine,
  source: string,
): Promise<{ bytes: AsyncIterable<Buffer>; totalBytes: number | undefined }> {
  if (source === '-') {
    if (line.stdin.isTTY) throw new UsageError('Pipe an archive into it, or name a file.');
    return { bytes: line.stdin as AsyncIterable<Buffer>, totalBytes: undefined };
  }
  try {
    const facts = await stat(source);
    if (facts.isDirectory()) throw new UsageError(`${source} is a folder, not an archive.`);
    return { bytes: createReadStream(source) as AsyncIterable<Buffer>, totalBytes: facts.size };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${source} cannot be read: ${systemReason(error)}.`);
  }
}

async function* counted(bytes: AsyncIterable<Buffer>, progress: ByteProgress): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    progress.add(chunk.length);
    yield chunk;
  }
}

/** Zstandard and gzip are told by their first bytes. @throws SpoonError `archive-invalid` */
async function* unpackedBytes(bytes: AsyncGenerator<Buffer>): AsyncGenerator<Uint8Array> {
  const { value: first, done } = await bytes.next();
  if (done === true) return;
  const magic = first.subarray(0, 4).toString('hex');
  const whole = async function* (): AsyncGenerator<Buffer> {
    yield first;
    yield* bytes;
  };
  const packer = magic === '28b52ffd' ? createZstdDecompress() : magic.startsWith('1f8b') ? createGunzip() : undefined;
  if (packer === undefined) return yield* whole();
  const packed = Readable.from(whole(), { objectMode: false });
  packed.on('error', (error) => packer.destroy(error));
  packed.pipe(packer);
  try {
    yield* packer as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw new SpoonError('archive-invalid', 'It is damaged, or not whole.', { cause: error });
  }
}
