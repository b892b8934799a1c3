import type { Command } from 'commander';
import type { CreateTokenRequest } from '../protocol/identity.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect, connectAsAdmin } from './connection.ts';

interface CreateOptions extends JsonOption {
  readonly name: string;
  readonly days?: string;
  readonly user?: string;
  readonly admin?: true;
}

/** `spoonctl tokens …` */
export function addTokens(program: Command, line: CommandLine): void {
  const tokens = program.command('tokens').description('what signs you in elsewhere');

  withJson(tokens.command('create').description('a new token, printed once'))
    .option('--name <name>', 'what it is for', 'spoonctl')
    .option('--days <number>', 'how long it lives, 1 to 365; 90 when left out')
    .option('--user <username>', 'for another user (administrators)')
    .option('--admin', 'one that administers and reads no contents; with --user')
    .action(async ({ name, days, user, admin, ...options }: CreateOptions) => {
      const body: CreateTokenRequest = {
        name,
        ...(days === undefined ? {} : { lifeDays: lifeOf(days) }),
        ...(admin === undefined ? {} : { kind: 'admin' }),
      };
      if (admin !== undefined && user === undefined)
        throw new UsageError('Say with --user whose administrator token it is.');
      const created =
        user === undefined
          ? await (await connect(line)).api.call('createToken', { body })
          : await (await connectAsAdmin(line)).call('adminCreateToken', { params: { username: user }, body });
      line.print(options, created, () => created.token);
      if (options.json !== true) line.note(`Valid until ${formatTime(created.info.expiresMs)}. It is not shown again.`);
    });

  withJson(tokens.command('ls').description('your tokens, without their secrets')).action(
    async (options: JsonOption) => {
      const { api } = await connect(line);
      const list = await api.call('listTokens');
      line.print(options, list, () =>
        columns(
          ['ID', 'NAME', 'KIND', 'CREATED', 'EXPIRES', 'LAST USED'],
          list.tokens.map(({ id, name, kind, createdMs, expiresMs, lastUsedMs }) => [
            id,
            name,
            kind,
            formatTime(createdMs),
            formatTime(expiresMs),
            formatTime(lastUsedMs),
          ]),
        ),
      );
    },
  );

  withJson(tokens.command('revoke').argument('<id>').description('end one of your tokens now')).action(
    async (id: string, options: JsonOption) => {
      const { api } = await connect(line);
      await api.call('revokeToken', { params: { id } });
      line.print(options, { revoked: id }, () => `Revoked ${id}.`);
    },
  );
}

function lifeOf(days: string): number {
  if (!/^\d{1,3}$/.test(days)) throw new UsageError('--days takes a whole number from 1 to 365.');
  return Number(days);
}
