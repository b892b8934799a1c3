import type { Command } from 'commander';
import { inBytes } from './byteText.ts';
import { type CommandLine, columns, formatTime, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';
import { ask } from './prompt.ts';
import { addQuota } from './quotas.ts';
import { tokenTable } from './tokens.ts';

interface AddOptions extends JsonOption {
  readonly username?: string;
  readonly shell?: string;
}

interface InviteOptions extends JsonOption {
  readonly days?: string;
}

interface RemoveOptions extends JsonOption {
  readonly confirm?: string;
}

const removeMs = 10 * 60_000;

/** `spoonctl users …`, for administrators. */
export function addUsers(program: Command, line: CommandLine): void {
  const users = program.command('users').description('accounts (for administrators)');

  withJson(users.command('add').argument('<name>').description('a new account; its username is fixed for life'))
    .option('--username <username>', 'chosen instead of made from the name')
    .option('--shell <path>', 'login shell, an absolute path in the box image')
    .addHelpText('after', '\nExample:\n  spoonctl users add "Ada Lovelace" && spoonctl users invite ada')
    .action(async (displayName: string, { username, shell, ...options }: AddOptions) => {
      const api = await connectAsAdmin(line);
      const body = {
        displayName,
        ...(username === undefined ? {} : { username }),
        ...(shell === undefined ? {} : { shell }),
      };
      const user = await api.call('adminCreateUser', { body });
      line.print(
        options,
        user,
        () => `Added ${user.username} (${user.displayName}). A link for them: spoonctl users invite ${user.username}`,
      );
    });

  withJson(users.command('ls').description('all accounts')).action(async (options: JsonOption) => {
    const api = await connectAsAdmin(line);
    const list = await api.call('adminListUsers');
    line.print(options, list, () =>
      columns(
        ['USERNAME', 'NAME', 'CREATED', 'LAST USED', 'BOX', 'DOTFILES', 'STORED', ''],
        list.users.map((user) => [
          user.username,
          user.displayName,
          formatTime(user.createdMs),
          formatTime(user.lastUsedMs),
          user.box,
          user.dotfiles,
          inBytes(user.storedBytes),
          [user.admin ? 'admin' : '', user.disabled ? 'disabled' : ''].filter(Boolean).join(', '),
        ]),
      ),
    );
  });

  withJson(users.command('invite').argument('<username>'))
    .description('a link with which a user chooses a password, once; also for one who has forgotten it')
    .option('--days <number>', 'how long it is good for, 1 to 30; 3 when left out')
    .addHelpText('after', '\nThe link is a credential: give it to that person only. A new one ends the one before.')
    .action(async (username: string, { days, ...options }: InviteOptions) => {
      if (days !== undefined && !/^\d{1,2}$/.test(days))
        throw new UsageError('--days takes a whole number from 1 to 30.');
      const body = days === undefined ? {} : { lifeDays: Number(days) };
      const invite = await (await connectAsAdmin(line)).call('adminInviteUser', { params: { username }, body });
      line.print(options, invite, () => invite.link);
      if (options.json !== true) line.note(`For ${username}, once, until ${formatTime(invite.expiresMs)}.`);
    });

  withJson(users.command('rename').argument('<username>').argument('<name>'))
    .description('another display name; the username stays for life')
    .action(async (username: string, displayName: string, options: JsonOption) => {
      const api = await connectAsAdmin(line);
      const user = await api.call('adminRenameUser', { params: { username }, body: { displayName } });
      line.print(options, user, () => `${user.username} is now shown as ${user.displayName}.`);
    });

  withJson(users.command('disable').argument('<username>'))
    .description('revoke all tokens, close all connections, stop the box; dotfiles and home stay')
    .action(async (username: string, options: JsonOption) => {
      const user = await (await connectAsAdmin(line)).call('adminDisableUser', { params: { username } });
      line.print(options, user, () => `Disabled ${username}. Undo with: spoonctl users enable ${username}`);
    });

  withJson(users.command('enable').argument('<username>').description('let a disabled user sign in again'))
    .addHelpText('after', '\nTokens from before stay revoked.')
    .action(async (username: string, options: JsonOption) => {
      const user = await (await connectAsAdmin(line)).call('adminEnableUser', { params: { username } });
      line.print(options, user, () => `Enabled ${username}. A new password: spoonctl users invite ${username}`);
    });

  withJson(users.command('promote').argument('<username>').description('let a user sign in as an administrator too'))
    .addHelpText('after', '\nThat is asked for on its own, in VS Code, and lasts 8 hours. It reads nobody’s contents.')
    .action(async (username: string, options: JsonOption) => {
      const user = await (await connectAsAdmin(line)).call('adminPromoteUser', { params: { username } });
      line.print(options, user, () => `${username} may administer. Undo with: spoonctl users demote ${username}`);
    });

  withJson(users.command('demote').argument('<username>').description('no longer an administrator, at once'))
    .addHelpText('after', '\nAn admin token that was made by hand belongs to nobody: spoonctl tokens ls --admin')
    .action(async (username: string, options: JsonOption) => {
      const user = await (await connectAsAdmin(line)).call('adminDemoteUser', { params: { username } });
      line.print(options, user, () => `${username} is no longer an administrator.`);
    });

  addQuota(users, line);

  withJson(users.command('rm').argument('<username>'))
    .description('destroy all that is stored of a user, and the home, for ever')
    .option('--confirm <username>', 'the username once more, for scripts; asked for when left out')
    .addHelpText('after', removeHelp)
    .action(async (username: string, { confirm, ...options }: RemoveOptions) => {
      const api = await connectAsAdmin(line);
      const typed = confirm ?? (await askToConfirm(line, username));
      // Emptying a large home takes its time.
      const call = { params: { username }, body: { confirm: typed }, timeoutMs: removeMs };
      const removed = await api.call('adminRemoveUser', call);
      line.print(options, removed, () => `Removed ${username}${removed.homeRemoved ? ' and the home' : ''}.`);
      if (!removed.homeRemoved && options.json !== true) {
        line.note('The home’s files could not be erased now. The service does it at its next start; its log says why.');
      }
    });

  withJson(users.command('tokens').argument('<username>').description('the tokens of a user, without their secrets'))
    .addHelpText('after', '\nEnd one with: spoonctl tokens revoke ID --admin')
    .action(async (username: string, options: JsonOption) => {
      const list = await (await connectAsAdmin(line)).call('adminListUserTokens', { params: { username } });
      line.print(options, list, () => tokenTable(list.tokens));
    });
}

const removeHelp = `
Stops the box, destroys the user’s key, then deletes everything stored and the home. Nothing of it can be
brought back, and nobody gets the username again. No administrator can read a user’s dotfiles; the user can take
them along first, with: spoonctl dotfiles export FILE`;

async function askToConfirm(line: CommandLine, username: string): Promise<string> {
  if (!line.stdin.isTTY) throw new UsageError(`Nothing was removed. Say --confirm ${username} to do it.`);
  line.note(`This destroys all dotfiles, versions, secrets and the home of ${username}. It cannot be undone.`);
  return ask(line, 'Type the username to go on: ');
}
