import type { Command } from 'commander';
import { type Limits, type QuotaName, quotaNames, type Usage, type UserQuota } from '../protocol/quotas.ts';
import { inBytes } from './byteText.ts';
import { type CommandLine, columns, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';

/** Homes are counted inside of their boxes, each for at most 10 s. */
const countingMs = 200_000;
const flags = {
  memory: 'memoryBytes',
  cpus: 'cpus',
  pids: 'processes',
  terminals: 'terminals',
  dotfiles: 'dotfiles',
  dotfilesSize: 'dotfileBytes',
  home: 'homeBytes',
} as const satisfies Record<string, QuotaName>;
type Flag = keyof typeof flags;

type QuotaOptions = JsonOption & { readonly reset?: true } & { readonly [K in Flag]?: string };

const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgt])(?:i?b)?$/i;
const unitBytes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `spoonctl users quota` */
export function addQuota(users: Command, line: CommandLine): void {
  withJson(users.command('quota').argument('<username>').description('what a user may use, and uses; or change it'))
    .option('--memory <size>', 'of the box, 256m at least')
    .option('--cpus <number>', 'of the box, 0.1 at least')
    .option('--pids <number>', 'processes of the box, 64 at least')
    .option('--terminals <number>', 'open at once, 16 at most')
    .option('--dotfiles <number>', 'how many, 10000 at most')
    .option('--dotfiles-size <size>', 'of all dotfiles as they are now')
    .option('--home <size>', 'of the home')
    .option('--reset', 'all as for everybody')
    .addHelpText('after', help)
    .action(async (username: string, { reset, json, ...given }: QuotaOptions) => {
      const options = json === undefined ? {} : { json };
      const body = changeOf(given, reset === true);
      const api = await connectAsAdmin(line);
      const call = { params: { username }, timeoutMs: countingMs };
      const quota =
        Object.keys(body).length === 0
          ? await api.call('adminUserQuota', call)
          : await api.call('adminSetUserQuota', { ...call, body });
      line.print(options, quota, () => quotaText(quota));
    });
}

/** `spoonctl usage` */
export function addUsage(program: Command, line: CommandLine): void {
  withJson(program.command('usage').description('what each user uses, and all together (for administrators)'))
    .addHelpText('after', '\nWhat a user may use: spoonctl users quota USERNAME')
    .action(async (options: JsonOption) => {
      const report = await (await connectAsAdmin(line)).call('adminUsage', { timeoutMs: countingMs });
      line.print(options, report, () =>
        columns(
          ['USERNAME', 'CPU', 'MEMORY', 'PROCESSES', 'TERMINALS', 'DOTFILES', 'STORED', 'HOME'],
          [...report.users, { username: 'all', usage: report.total }].map(({ username, usage }) => [
            username,
            amountOf('cpus', usage.cpuPercent),
            amountOf('memoryBytes', usage.memoryBytes),
            usage.processes ?? '-',
            usage.terminals ?? '-',
            usage.dotfiles,
            inBytes(usage.storedBytes),
            amountOf('homeBytes', usage.homeBytes),
          ]),
        ),
      );
    });
}

const help = `
Sizes are such as 512m, 4g or 1.5t. “default” is as for everybody.
Examples:
  spoonctl users quota ada --memory 4g --cpus 4
  spoonctl users quota ada --home default
Memory, CPUs and processes are those of the next box: spoonctl boxes stop USERNAME ends the one that runs.`;

/** @throws UsageError for what is no number or size; whether it is one that can be, the service says */
function changeOf(
  given: Readonly<Partial<Record<Flag, string>>>,
  reset: boolean,
): Partial<Record<QuotaName, number | null>> {
  const change: Partial<Record<QuotaName, number | null>> = {};
  if (reset) for (const name of quotaNames) change[name] = null;
  for (const [flag, text] of Object.entries(given) as [Flag, string][]) {
    const name = flags[flag];
    change[name] = text === 'default' ? null : isSize(name) ? sizeOf(flag, text) : numberOf(flag, text);
  }
  return change;
}

function isSize(name: QuotaName): boolean {
  return name.endsWith('Bytes');
}

function sizeOf(flag: Flag, text: string): number {
  const [, number, unit] = sizePattern.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    throw new UsageError(`${nameOf(flag)} takes a size such as 512m or 4g, or default.`);
  return Math.round(Number(number) * (unitBytes[unit.toLowerCase()] ?? 1));
}

function numberOf(flag: Flag, text: string): number {
  const pattern = flag === 'cpus' ? /^\d{1,9}(\.\d+)?$/ : /^\d{1,9}$/;
  if (!pattern.test(text)) throw new UsageError(`${nameOf(flag)} takes a number, or default.`);
  return Number(text);
}

function nameOf(flag: Flag): string {
  return `--${flag === 'dotfilesSize' ? 'dotfiles-size' : flag}`;
}

const shown: readonly { label: string; limit: keyof Limits; used: keyof Usage }[] = [
  { label: 'Memory', limit: 'memoryBytes', used: 'memoryBytes' },
  { label: 'CPUs', limit: 'cpus', used: 'cpuPercent' },
  { label: 'Processes', limit: 'processes', used: 'processes' },
  { label: 'Terminals', limit: 'terminals', used: 'terminals' },
  { label: 'Dotfiles', limit: 'dotfiles', used: 'dotfiles' },
  { label: 'Their size', limit: 'dotfileBytes', used: 'dotfileBytes' },
  { label: 'Home', limit: 'homeBytes', used: 'homeBytes' },
];

function quotaText({ username, limits, own, usage }: UserQuota): string {
  return columns(
    [username, 'USED', 'AT MOST', ''],
    shown.map(({ label, limit, used }) => [
      label,
      amountOf(limit, usage[used]),
      limits[limit] === null ? 'what the disk has' : isSize(limit) ? inBytes(limits[limit]) : limits[limit],
      own.includes(limit) ? `set for ${username}` : '',
    ]),
  );
}

function amountOf(name: QuotaName, used: number | null): string {
  if (used === null) return '-';
  if (name === 'cpus') return `${used} %`;
  return isSize(name) ? inBytes(used) : String(used);
}
