import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import type { ApiClient } from '../client/apiClient.ts';
import type { AuditEntry, AuditHead } from '../protocol/audit.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';
import { exitCodes } from './exitCodes.ts';
import { systemReason } from './systemReason.ts';

interface ListOptions extends JsonOption {
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

  withJson(audit.command('list').description('the newest entries'))
    .option('--limit <number>', 'how many, 1 to 1000; 100 when left out')
    .action(async ({ limit, ...options }: ListOptions) => {
      if (limit !== undefined && !/^\d{1,4}$/.test(limit))
        throw new UsageError('--limit takes a number from 1 to 1000.');
      const query = limit === undefined ? {} : { limit: Number(limit) };
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
          `Fault    ${report.fault === null ? 'none' : `entry ${report.fault.seq}: ${report.fault.why}`}`,
        ].join('\n'),
      );
      if (report.fault !== null) line.exitCode = exitCodes.refused;
    });

  audit
    .command('export')
    .argument('[file]', 'made anew; stdout when left out')
    .description('all entries, one JSON document a line')
    .action(async (file: string | undefined) => {
      const api = await connectAsAdmin(line);
      if (file === undefined) return writeEntries(api, line.stdout);
      const out = createWriteStream(file, { flags: 'wx', mode: ownerOnly });
      try {
        await once(out, 'open');
      } catch (error) {
        throw new UsageError(`${file} cannot be made: ${systemReason(error)}.`);
      }
      await writeEntries(api, out);
      out.end();
      await finished(out);
    });
}

async function writeEntries(api: ApiClient, out: NodeJS.WritableStream): Promise<void> {
  for (let after: number | null = 0; after !== null; ) {
    const query = { after, limit: pageEntries };
    const page: { entries: AuditEntry[]; next: number | null } = await api.call('adminListAudit', { query });
    for (const entry of page.entries) {
      if (!out.write(`${JSON.stringify(entry)}\n`)) await once(out, 'drain');
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
    ['SEQ', 'TIME', 'WHO', 'WHAT', 'OF', 'RESULT', 'FROM'],
    entries.map(({ seq, timeMs, actor, event, object, result, code, address }) => [
      seq,
      formatTime(timeMs),
      actor.username ?? actor.kind,
      event,
      object ?? '',
      code ?? result,
      address ?? 'this machine',
    ]),
  );
}
