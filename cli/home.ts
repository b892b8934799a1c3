import type { Command } from 'commander';
import type { HomeUsage } from '../protocol/homeUsage.ts';
import { type CommandLine, columns, type JsonOption, withJson } from './commandLine.ts';
import { connect } from './connection.ts';

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
}

function usageText({ usedBytes, files, folders, disk, truncated }: HomeUsage): string {
  const rows = folders.map(({ path, bytes, files: count }) => [amount(bytes), count, `~/${path}`]);
  return [
    `Your home holds ${amount(usedBytes)} in ${files} files. Its disk has ${amount(disk.freeBytes)} of ${amount(disk.sizeBytes)} left.`,
    ...(truncated ? ['Not all of it could be counted in time: everything is at least as large as said.'] : []),
    ...(rows.length === 0 ? [] : ['', columns(['SIZE', 'FILES', 'FOLDER'], rows)]),
  ].join('\n');
}

function amount(bytes: number): string {
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  const value = bytes / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}
