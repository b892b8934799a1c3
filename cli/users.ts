import type { Command } from 'commander';
import { type CommandLine, columns, formatTime, type JsonOption, withJson } from './commandLine.ts';
import { connectAsAdmin } from './connection.ts';

interface AddOptions extends JsonOption {
  readonly username?: string;
  readonly shell?: string;
}

/** `spoonctl users …`, for administrators. */
export function addUsers(program: Command, line: CommandLine): void {
  const users = program.command('users').description('accounts (for administrators)');

  withJson(users.command('add').argument('<name>').description('a new account; its username is fixed for life'))
    .option('--username <username>', 'chosen instead of made from the name')
    .option('--shell <path>', 'login shell, an absolute path in the box image')
    .addHelpText('after', '\nExample:\n  spoonctl users add "Ada Lovelace" && spoonctl tokens create --user ada')
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
        () => `Added ${user.username} (${user.displayName}). A token: spoonctl tokens create --user ${user.username}`,
      );
    });

  withJson(users.command('ls').description('all accounts')).action(async (options: JsonOption) => {
    const api = await connectAsAdmin(line);
    const list = await api.call('adminListUsers');
    line.print(options, list, () =>
      columns(
        ['USERNAME', 'NAME', 'CREATED', ''],
        list.users.map((user) => [
          user.username,
          user.displayName,
          formatTime(user.createdMs),
          user.disabled ? 'disabled' : '',
        ]),
      ),
    );
  });
}
