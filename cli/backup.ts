import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { DownloadAnswer } from '../client/callTypes.ts';
import { SpoonError } from '../protocol/errors.ts';
import { cancelOnSignal } from './cancelOnSignal.ts';
import { type CommandLine, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';
import { runOfService } from './service.ts';
import { systemReason } from './systemReason.ts';

/** Of a large database on a slow disk, and its way over a slow network. */
const backupMs = 12 * 60 * 60_000;
const ownerOnly = 0o600;
const mebi = 2 ** 20;
/** As a shell sees a program that Ctrl-C ended. */
const cancelledExitCode = 130;

/** `spoonctl backup …` */
export function addBackup(program: Command, line: CommandLine): void {
  const backup = program.command('backup').description('everything that is stored, as one file (for administrators)');

  withJson(backup.command('create').argument('<file>', 'made anew; - for stdout'))
    .description('make one, while the service is in use')
    .addHelpText(
      'after',
      '\nIt holds no key and no homes: keep the root key apart, and back the folder homes up as you do other disks.',
    )
    .action((file: string, options: JsonOption) => create(line, file, options));

  withJson(backup.command('verify').argument('<file>'))
    .description('whether it is whole and, with the root key in SPOON_ENCRYPTION_KEY, whether everything opens')
    .action((file: string, options: JsonOption) =>
      runOfService(line, 'backupMain', argumentsFor('verify', file, options)),
    );

  withJson(backup.command('restore').argument('<file>'))
    .description('into the empty folder SPOON_AGENT_WORKDIR, while no service runs')
    .action((file: string, options: JsonOption) =>
      runOfService(line, 'backupMain', argumentsFor('restore', file, options)),
    );
}

function argumentsFor(verb: string, file: string, { json }: JsonOption): string[] {
  return [verb, file, ...(json === true ? ['--json'] : [])];
}

async function create(line: CommandLine, file: string, options: JsonOption): Promise<void> {
  if (file === '-' && line.stdout.isTTY)
    throw new UsageError('A backup is no text: name a file, or pipe it somewhere.');
  if (file !== '-') await refuseExisting(file);
  const api = await connectAsAdmin(line);
  const cancel = cancelOnSignal();
  try {
    const progress = new ByteProgress(line);
    progress.say('Copying the database');
    const answer = await api.download('adminCreateBackup', { timeoutMs: backupMs, signal: cancel.signal });
    try {
      if (file === '-') await toStdout(line, answer, progress);
      else await toFile(file, answer, progress);
    } finally {
      progress.end();
    }
    if (file === '-') return;
    line.print(options, { file, bytes: answer.bytes }, () =>
      [
        `${file}: ${(answer.bytes / mebi).toFixed(1)} MiB. It holds no root key: keep that apart, or it cannot be read.`,
        `Try whether everything opens: spoonctl backup verify ${file}`,
      ].join('\n'),
    );
  } catch (error) {
    if (!cancel.signal.aborted) throw error;
    line.note('Cancelled. Nothing was kept.');
    line.exitCode = cancelledExitCode;
  } finally {
    cancel.close();
  }
}

async function refuseExisting(file: string): Promise<void> {
  try {
    await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new UsageError(`${file} cannot be made: ${systemReason(error)}.`);
  }
  throw new UsageError(`${file} exists. A backup never replaces a file.`);
}

/** Under its name only once all of it is on the disk. */
async function toFile(file: string, answer: DownloadAnswer, progress: ByteProgress): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  const out = await made(temporary);
  try {
    try {
      await pass(answer, progress, (chunk) => out.writeFile(chunk));
      await out.sync();
    } finally {
      await out.close();
    }
    // Takes the name, which fails where somebody else has taken it meanwhile; then puts the whole file under it.
    await (await made(file)).close();
    await rename(temporary, file);
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new SpoonError('insufficient-storage', `For ${file}.`);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function made(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx', ownerOnly);
  } catch (error) {
    throw new UsageError(`${file} cannot be made: ${systemReason(error)}.`);
  }
}

async function toStdout({ stdout }: CommandLine, answer: DownloadAnswer, progress: ByteProgress): Promise<void> {
  await pass(answer, progress, async (chunk) => {
    if (!stdout.write(chunk)) await once(stdout, 'drain');
  });
}

async function pass(
  { body, bytes }: DownloadAnswer,
  progress: ByteProgress,
  write: (chunk: Uint8Array) => Promise<unknown>,
): Promise<void> {
  let done = 0;
  try {
    for await (const chunk of body) {
      await write(chunk);
      done += chunk.length;
      progress.say(`${(done / mebi).toFixed(1)} of ${(bytes / mebi).toFixed(1)} MiB`);
    }
  } catch (error) {
    if (!isTransport(error)) throw error;
    throw new SpoonError('connection-lost', 'The backup was not finished. Nothing was kept.', { cause: error });
  }
  if (done !== bytes) throw new SpoonError('connection-lost', 'The backup was not finished. Nothing was kept.');
}

/** Of the connection, and not of the file. */
function isTransport(error: unknown): boolean {
  const { code, name } = error as NodeJS.ErrnoException;
  return name === 'TypeError' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** One line on a terminal that is rewritten; nothing where nobody watches. */
class ByteProgress {
  readonly #stderr: CommandLine['stderr'];

  constructor({ stderr }: CommandLine) {
    this.#stderr = stderr;
  }

  say(text: string): void {
    if (this.#stderr.isTTY) this.#stderr.write(`\r\x1b[K${text}`);
  }

  end(): void {
    this.say('');
  }
}
