import type { Command } from 'commander';
import type { HomeUsage } from '../protocol/homeUsage.ts';
import { cancelOnSignal } from './cancelOnSignal.ts';
import { type CommandLine, columns, type JsonOption, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { exitCodes } from './exitCodes.ts';
import { type ExportOptions, exportHome } from './homeArchive/exportHome.ts';
import { importHome } from './homeArchive/importHome.ts';

/** A start of the box, and the counting. */
const usageTimeoutMs = 200_000;
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `spoonctl home …` */
export function addHome(program: Command, line: CommandLine): void {
  const home = program.command('home').description('the home in your box');
  withJson(home.command('usage').description('what takes the room, the largest folders first')).action(
    async (options: JsonOption) => {
      const { api } = await connect(line);
      const usage = await api.call('homeUsage', { timeoutMs: usageTimeoutMs });
      line.print(options, usage, () => usageText(usage));
    },
  );
  home
    .command('export')
    .argument('[file]')
    .description('the home as a tar archive, made in the box, to a file or to stdout')
    .option('--exclude <path>', 'leave out this path of the home; can be given again', collect, [])
    .option('--no-caches', 'leave out what programs make again: .cache, .vscode-server and the like')
    .option('--zstd', 'compress; by itself where the file ends in .zst')
    .addHelpText('after', exportHelp)
    .action((file: string | undefined, options: ExportOptions) =>
      cancellable(line, (signal) => exportHome(line, file, options, signal)),
    );
  home
    .command('import')
    .argument('<file>')
    .description('put the files of such an archive into the home, in the box')
    .option('--replace', 'replace files that have another content')
    .addHelpText('after', importHelp)
    .action((file: string, options: { replace?: true }) =>
      cancellable(line, (signal) => importHome(line, file, options, signal)),
    );
}

const exportHelp = `
It holds your dotfiles in plain text and whatever keys are in the home. Left out: ~/.spoon, sockets, pipes.

Examples:
  spoonctl home export home.tar.zst --no-caches --exclude Code
  spoonctl home export | tar -t`;

const importHelp = `
Takes tar, also in zstd or gzip, from a file or (-) from stdin. Everything is unpacked beside the home and looked
at first: on any failure, and on Ctrl-C, the home stays as it was. What the archive does not have is left alone.

Examples:
  spoonctl home import home.tar.zst
  ssh old tar -C /home/ada -c . | spoonctl home import - --replace`;

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** Ctrl-C ends it in order, with what it began in the box. */
async function cancellable(line: CommandLine, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const cancel = cancelOnSignal();
  try {
    await work(cancel.signal);
  } catch (error) {
    if (!cancel.signal.aborted) throw error;
    line.note('Cancelled.');
    line.exitCode = exitCodes.cancelled;
  } finally {
    cancel.close();
  }
}

function usageText({ usedBytes, files, folders, disk, truncated, quotaBytes }: HomeUsage): string {
  const rows = folders.map(({ path, bytes, files: count }) => [amount(bytes), count, `~/${path}`]);
  const isOver = quotaBytes !== undefined && usedBytes > quotaBytes;
  return [
    `Your home holds ${amount(usedBytes)} in ${files} files. Its disk has ${amount(disk.freeBytes)} of ${amount(disk.sizeBytes)} left.`,
    ...(quotaBytes === undefined
      ? []
      : [`It may hold ${amount(quotaBytes)}${isOver ? '; until it holds less, no new threads are checked out' : ''}.`]),
    ...(truncated ? ['Not all of it could be counted in time: everything is at least as large as said.'] : []),
    ...(rows.length === 0 ? [] : ['', columns(['SIZE', 'FILES', 'FOLDER'], rows)]),
  ].join('\n');
}

function amount(bytes: number): string {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
