import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import type { AuditEntry, AuditHead, AuditQuery } from '../protocol/audit.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';
import { exitCodes } from './exitCodes.ts';
import { parsePastTime } from './pastTime.ts';
import { safeJson } from './safeText.ts';
import { systemReason } from './systemReason.ts';

interface FilterOptions {
  readonly about?: string;
  readonly event?: string;
  readonly result?: AuditEntry['result'];
  readonly since?: string;
  readonly until?: string;
}

interface ListOptions extends FilterOptions, JsonOption {
  readonly limit?: string;
}

interface VerifyOptions extends JsonOption {
  readonly head?: string;
}

const pageEntries = 1000;
/** Of a million entries. */
const verifyMs = 10 * 60_000;
const ownerOnly = 0o600;

/** `spoonctl admin audit …` */
export function addAudit(admin: Command, line: CommandLine): void {
  const audit = admin.command('audit').description('who did what');

  withFilters(withJson(audit.command('list').description('the newest entries')))
    .option('--limit <number>', 'how many, 1 to 1000; 100 when left out')
    .addHelpText('after', '\nWhat was refused today: spoonctl admin audit list --result refused --since 24h')
    .action(async ({ limit, ...options }: ListOptions) => {
      if (limit !== undefined && !/^\d{1,4}$/.test(limit))
        throw new UsageError('--limit takes a number from 1 to 1000.');
      const query = { ...filterOf(options), ...(limit === undefined ? {} : { limit: Number(limit) }) };
      const page = await (await connectAsAdmin(line)).call('adminListAudit', { query });
      line.print(options, page, () => table(page.entries));
    });

  withJson(audit.command('verify').description('whether every entry is as it was written'))
    .option('--head <seq:mac>', 'the newest entry as it was noted earlier: shows whether the end was cut off since')
    .addHelpText('after', '\nThe service logs the head at start, at its end and each hour, as the event audit.head.')
    .action(async ({ head, ...options }: VerifyOptions) => {
      const api = await connectAsAdmin(line);
      const body = head === undefined ? {} : { head: readHead(head) };
      const report = await api.call('adminVerifyAudit', { body, timeoutMs: verifyMs });
      line.print(options, report, () =>
        [
          `Entries  ${report.entries}`,
          `Head     ${report.head === null ? '-' : `${report.head.seq}:${report.head.mac}`}`,
          ...(report.removed
            ? [`Removed  all up to ${report.removed.to}, last on ${formatTime(report.removed.timeMs)}`]
            : []),
          `Fault    ${report.fault === null ? 'none' : `entry ${report.fault.seq}: ${report.fault.why}`}`,
        ].join('\n'),
      );
      if (report.fault !== null) line.exitCode = exitCodes.refused;
    });

  withFilters(audit.command('export').argument('[file]', 'made anew; stdout when left out'))
    .description('all entries, or those that are wanted, one JSON document a line')
    .action(async (file: string | undefined, options: FilterOptions) => {
      const wanted = filterOf(options);
      const api = await connectAsAdmin(line);
      if (file === undefined) return writeEntries(api, line.stdout, wanted);
      const out = createWriteStream(file, { flags: 'wx', mode: ownerOnly });
      try {
        await once(out, 'open');
      } catch (error) {
        throw new UsageError(`${file} cannot be made: ${systemReason(error)}.`);
      }
      await writeEntries(api, out, wanted);
      out.end();
      await finished(out);
    });
}

function withFilters(command: Command): Command {
  return command
    .option('--about <name>', 'who did it, or to whom or what it was done: a username, or an id, also of a secret')
    .option('--event <event>', 'such as user.disable, or user for all that begin with user.')
    .addOption(new Option('--result <result>', 'how it went').choices(['started', 'done', 'refused']))
    .option('--since <time>', '30m, 24h or 7d ago; a day; a day and a time, 2030-01-31T09:00')
    .option('--until <time>', 'the same, and nothing from then on');
}

function filterOf({ about, event, result, since, until }: FilterOptions): Omit<AuditQuery, 'after' | 'limit'> {
  if (event !== undefined && !/^[a-z0-9.-]{1,64}$/.test(event))
    throw new UsageError('--event takes an event as the list shows it, such as user.disable.');
  const nowMs = Date.now();
  return {
    ...(about === undefined ? {} : { about }),
    ...(event === undefined ? {} : { event }),
    ...(result === undefined ? {} : { result }),
    ...(since === undefined ? {} : { fromMs: parsePastTime(since, nowMs, '--since') }),
    ...(until === undefined ? {} : { toMs: parsePastTime(until, nowMs, '--until') }),
  };
}

async function writeEntries(
  api: ApiClient,
  out: NodeJS.WritableStream,
  wanted: Omit<AuditQuery, 'after' | 'limit'>,
): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const query = { ...wanted, after, limit: pageEntries };
    const page: { entries: AuditEntry[]; next: number | null } = await api.call('adminListAudit', { query });
    for (const entry of page.entries) {
      if (!out.write(`${safeJson(entry)}\n`)) await once(out, 'drain');
    }
    after = page.next;
  }
}

function readHead(text: string): AuditHead {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim());
  if (match === null) throw new UsageError('--head takes what the log or an earlier verify showed, such as 12:9f3a….');
  return { seq: Number(match[1]), mac: match[2] ?? '' };
}

function table(entries: readonly AuditEntry[]): string {
  return columns(
    ['SEQ', 'TIME', 'WHO', 'WHAT', 'OF', 'RESULT', 'FROM', 'MORE'],
    entries.map(({ seq, timeMs, actor, event, object, details = {}, result, code, address }) => [
      seq,
      formatTime(timeMs),
      actor.username ?? actor.kind,
      event,
      object ?? '',
      code ?? result,
      address ?? (actor.kind === 'operator' ? 'this machine' : ''),
      Object.entries(details)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    ]),
  );
}
