import type { Command } from 'commander';
import { TerminalSession } from '../client/terminalSession.ts';
import type { Share } from '../protocol/shares.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect } from './connection.ts';
import { durationOf } from './jobs/duration.ts';
import { openNodeSocket } from './nodeSocket.ts';
import { requireTerminal, view } from './terminal.ts';

interface ShareOptions extends JsonOption {
  readonly with?: string;
  readonly write?: true;
  readonly for?: string;
}

/** `spoonctl terminals …`: terminals that are shared with somebody. */
export function addSharedTerminals(program: Command, line: CommandLine): void {
  const terminals = program.command('terminals').description('terminals that are shared with others');

  withJson(terminals.command('share').argument('<id>').description('let somebody else look at a terminal of yours'))
    .option('--with <username>', 'who')
    .option('--write', 'they may type too, as you: whatever you can do, they can')
    .option('--for <duration>', 'at most so long, such as 30m or 2h; an hour when left out, a day at most')
    .addHelpText('after', '\nFind the id with: spoonctl terminal --list')
    .action(async (id: string, { with: guest, write, for: duration, ...options }: ShareOptions) => {
      if (guest === undefined) throw new UsageError('Say with whom: --with USERNAME');
      const lifeMs = duration === undefined ? {} : { lifeMs: durationOf(duration) };
      const body = { with: guest, ...(write === undefined ? {} : { write }), ...lifeMs };
      const { api } = await connect(line);
      const share = await api.call('shareTerminal', { params: { id }, body });
      line.print(options, share, () => `${share.guest} sees it with: spoonctl terminals watch ${share.id}`);
      if (options.json !== true)
        line.note(`Until ${formatTime(share.expiresMs)}, or: spoonctl terminals unshare ${share.id}`);
    });

  withJson(terminals.command('shares').description('what is shared, by you and with you, and who watches')).action(
    async (options: JsonOption) => {
      const list = await (await connect(line)).api.call('listShares');
      const all = [...list.given, ...list.received];
      line.print(options, list, () =>
        all.length === 0
          ? 'No terminal is shared. Share one with: spoonctl terminals share ID --with USERNAME'
          : columns(['ID', 'OF', 'WITH', 'MAY', 'UNTIL', 'WATCHING', 'TERMINAL'], all.map(rowOf)),
      );
    },
  );

  withJson(
    terminals.command('unshare').argument('<id>').description('end a share of yours, or with you, at once'),
  ).action(async (id: string, options: JsonOption) => {
    await (await connect(line)).api.call('endShare', { params: { id } });
    line.print(options, { id }, () => 'It is no longer shared.');
  });

  terminals
    .command('watch')
    .argument('<id>')
    .description('see a terminal that somebody shares with you')
    .addHelpText('after', '\nRight after Enter: ~. leaves. Where you may not type, keys do nothing.')
    .action(async (id: string) => {
      requireTerminal(line);
      const { api } = await connect(line);
      const place = { api, openSocket: openNodeSocket };
      line.exitCode = await view(line, async (viewer) => TerminalSession.watch(place, id, viewer));
    });
}

function rowOf({ id, owner, guest, write, expiresMs, watching, terminal }: Share): (string | number)[] {
  return [id, owner, guest, write ? 'write' : 'read', formatTime(expiresMs), watching === 0 ? '-' : watching, terminal];
}
