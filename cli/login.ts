import { type Command, Option } from 'commander';
import { parseServiceUrl } from '../client/serviceUrl.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { Me } from '../protocol/identity.ts';
import { parseToken, tokenKinds } from '../protocol/tokenFormat.ts';
import { hasBrowser, signInByBrowser, signInByCode } from './browserSignIn.ts';
import { type CommandLine, type JsonOption, UsageError, withJson } from './commandLine.ts';
import { connect, connectWith } from './connection.ts';
import { credentialsFile, readCredentials, removeSignIn, storeSignIn } from './credentials.ts';
import { ask } from './prompt.ts';
import { readStdin } from './readInput.ts';

interface UrlOption extends JsonOption {
  readonly url?: string;
}

interface LoginOptions extends UrlOption {
  readonly browser?: true;
  readonly device?: true;
}

/** Where the service listens when nothing else was said (design section 8). */
const usualUrl = 'http://127.0.0.1:3921';

/** `spoonctl login`, `logout` and `whoami`. */
export function addLogin(program: Command, line: CommandLine): void {
  withJson(program.command('login').description('sign in to a service and remember it'))
    .option('--url <url>', 'its address; asked for when left out')
    .addOption(new Option('--browser', 'with a browser on this machine').conflicts('device'))
    .option('--device', 'with a code that you type into a browser on another machine')
    .addHelpText('after', loginHelp)
    .action(async (options: LoginOptions) => {
      const url = parseServiceUrl(options.url ?? line.env.SPOON_URL ?? (await askForUrl(line)));
      const token = checkToken(await tokenFor(line, url, options));
      const api = connectWith(url, token);
      const { instanceId } = await api.checkCompatible();
      const me = await api.call('me');
      const username = me.user?.username ?? null;
      await storeSignIn(credentialsFile(line.env, line.homeDir), url, { token, instanceId, username });
      line.print(options, { url, instanceId, ...me }, () => `Signed in at ${api.host} as ${nameOf(me)}.`);
      if (options.json !== true && me.kind === 'user') line.note('A shell in your box: spoonctl terminal');
    });

  withJson(program.command('logout').description('forget the token of a service on this machine'))
    .option('--url <url>', 'its address; the last one signed in to when left out')
    .action(async (options: UrlOption) => {
      const file = credentialsFile(line.env, line.homeDir);
      const named = options.url ?? line.env.SPOON_URL;
      const url = named === undefined ? (await readCredentials(file)).default : parseServiceUrl(named);
      if (url === null || !(await removeSignIn(file, url))) {
        throw new SpoonError('not-signed-in', 'There was nothing to forget.');
      }
      line.print(
        options,
        { url },
        () => `Signed out of ${url}. The token itself lives on until it expires or is revoked.`,
      );
    });

  withJson(program.command('passwd').description('change your password; the first one comes with an invite')).action(
    async (options: JsonOption) => {
      const { api } = await connect(line);
      if (!line.stdin.isTTY) throw new UsageError('A password is typed in a terminal.');
      const current = await ask(line, 'Current password (not shown): ', { hidden: true });
      const password = await ask(line, 'New password (not shown): ', { hidden: true });
      if ((await ask(line, 'The same once more (not shown): ', { hidden: true })) !== password) {
        throw new UsageError('The two are not the same. Nothing was changed.');
      }
      await api.call('changePassword', { body: { current, password } });
      line.print(options, { changed: true }, () => 'Changed. Tokens stay valid: spoonctl tokens ls');
    },
  );

  withJson(program.command('whoami').description('who the token belongs to')).action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const me = await api.call('me');
    line.print(options, { url: api.url, ...me }, () => `${nameOf(me)} at ${api.host}`);
  });
}

const loginHelp = `
With a username and a password: in a browser here (--browser), or with a code that is typed into a browser
on another machine (--device). Or with a token, which is asked for and not shown; for scripts it comes from
SPOON_TOKEN or from stdin. It is kept in ~/.config/spoon/credentials.json, which only you can read, and never given on the command line.

Examples:
  spoonctl login
  spoonctl login --url https://spoon.example.org < token.txt`;

export function nameOf(me: Me): string {
  return me.user?.username ?? (me.kind === 'operator' ? 'the operator' : 'an administrator');
}

async function askForUrl(line: CommandLine): Promise<string> {
  if (!line.stdin.isTTY) throw new UsageError('Name the service with --url or SPOON_URL.');
  const before = (await readCredentials(credentialsFile(line.env, line.homeDir))).default ?? usualUrl;
  return (await ask(line, `Address of the service [${before}]: `)) || before;
}

async function tokenFor(line: CommandLine, url: string, { browser, device }: LoginOptions): Promise<string> {
  if (browser === true) return signInByBrowser(line, url);
  if (device === true) return signInByCode(line, url);
  if (line.env.SPOON_TOKEN) return line.env.SPOON_TOKEN.trim();
  if (!line.stdin.isTTY) return (await readStdin(line)).toString().trim();
  const other = hasBrowser(line) ? 'a browser' : 'a code';
  const typed = await ask(line, `Token, or Enter to sign in with ${other} (not shown): `, { hidden: true });
  if (typed !== '') return typed;
  return hasBrowser(line) ? signInByBrowser(line, url) : signInByCode(line, url);
}

/** Before anything is sent: what was pasted may be a password of something else. */
function checkToken(text: string): string {
  const token = parseToken(text);
  if (token === undefined) {
    throw new UsageError(
      text === '' ? 'No token was given.' : 'This is not a whole Spoon token (spn_…). It was not sent. Copy it again.',
    );
  }
  if (token.kind === tokenKinds.ticket) throw new UsageError('This is a ticket for one connection and not a token.');
  if (token.kind === tokenKinds.admin) {
    throw new UsageError(
      'This is a token for administration. Set SPOON_URL and SPOON_TOKEN to administer; to sign in, use one of your own, which starts with spn_u_.',
    );
  }
  return text;
}
