import { type Command, Option } from 'commander';
import type { CreatedToken, CreateTokenRequest, TokenInfo } from '../protocol/identity.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect, connectAsAdmin } from './connection.ts';

interface AdminOption extends JsonOption {
  readonly admin?: true;
}

interface CreateOptions extends AdminOption {
  readonly name: string;
  readonly days?: string;
  readonly user?: string;
}

interface RenewOptions extends JsonOption {
  readonly days?: string;
}

/** `spoonctl tokens …` */
export function addTokens(program: Command, line: CommandLine): void {
  const tokens = program.command('tokens').description('what signs you in elsewhere');

  withJson(tokens.command('create').description('a new token, printed once'))
    .option('--name <name>', 'what it is for', 'spoonctl')
    .option('--days <number>', 'how long it lives, 1 to 365; 90 when left out')
    .addOption(new Option('--user <username>', 'for another user (administrators)').conflicts('admin'))
    .option('--admin', 'one that administers and reads no contents (administrators)')
    .action(async ({ name, days, user, admin, ...options }: CreateOptions) => {
      const body: CreateTokenRequest = { name, ...(days === undefined ? {} : { lifeDays: lifeOf(days) }) };
      const created = await create(line, body, { user, admin });
      line.print(options, created, () => created.token);
      if (options.json !== true) line.note(`Valid until ${formatTime(created.info.expiresMs)}. It is not shown again.`);
    });

  withJson(tokens.command('ls').description('your tokens, without their secrets'))
    .option('--admin', 'those that administer (administrators)')
    .action(async ({ admin, ...options }: AdminOption) => {
      const list =
        admin === true
          ? await (await connectAsAdmin(line)).call('adminListTokens')
          : await (await connect(line)).api.call('listTokens');
      line.print(options, list, () => tokenTable(list.tokens));
    });

  withJson(tokens.command('renew').description('let the token that signs you in here live longer'))
    .option('--days <number>', 'from now, 1 to 365; 90 when left out')
    .addHelpText('after', '\nAt most a year after it was made. Then: spoonctl tokens create, and spoonctl login.')
    .action(async ({ days, ...options }: RenewOptions) => {
      const { api } = await connect(line);
      const info = await api.call('renewToken', { body: days === undefined ? {} : { lifeDays: lifeOf(days) } });
      line.print(options, info, () => `Valid until ${formatTime(info.expiresMs)}.`);
    });

  withJson(tokens.command('revoke').argument('<id>').description('end one of your tokens now'))
    .option('--admin', 'one of anybody (administrators)')
    .action(async (id: string, { admin, ...options }: AdminOption) => {
      if (admin === true) await (await connectAsAdmin(line)).call('adminRevokeToken', { params: { id } });
      else await (await connect(line)).api.call('revokeToken', { params: { id } });
      line.print(options, { revoked: id }, () => `Revoked ${id}.`);
    });
}

async function create(
  line: CommandLine,
  body: CreateTokenRequest,
  { user, admin }: { user: string | undefined; admin: true | undefined },
): Promise<CreatedToken> {
  if (admin === true) return (await connectAsAdmin(line)).call('adminCreateAdminToken', { body });
  if (user === undefined) return (await connect(line)).api.call('createToken', { body });
  return (await connectAsAdmin(line)).call('adminCreateToken', { params: { username: user }, body });
}

function lifeOf(days: string): number {
  if (!/^\d{1,3}$/.test(days)) throw new UsageError('--days takes a whole number from 1 to 365.');
  return Number(days);
}

export function tokenTable(tokens: readonly TokenInfo[]): string {
  return columns(
    ['ID', 'NAME', 'KIND', 'CREATED', 'EXPIRES', 'LAST USED'],
    tokens.map(({ id, name, kind, createdMs, expiresMs, lastUsedMs }) => [
      id,
      name,
      kind,
      formatTime(createdMs),
      formatTime(expiresMs),
      formatTime(lastUsedMs),
    ]),
  );
}
