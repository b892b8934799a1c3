import type { Command } from 'commander';
import { sealForService } from '../client/sealing.ts';
import type { RepositoryState } from '../protocol/repository.ts';
import { expandRepositoryAddress } from '../protocol/repositoryAddress.ts';
import {
  checkDeployKey,
  checkToken,
  credentialHost,
  credentialUse,
  kindFor,
  readHostKeys,
  type SetRepositoryCredentialRequest,
} from '../protocol/repositoryCredential.ts';
import { checkDotfilesAddress } from '../protocol/sshAddress.ts';
import { type CommandLine, type JsonOption, UsageError } from './commandLine.ts';
import { connect } from './connection.ts';
import { ask } from './prompt.ts';
import { isStdinGiven, readLocalFile, readStdin } from './readInput.ts';
import { sealer } from './secrets.ts';

export interface CredentialOptions {
  readonly from?: string;
  readonly username?: string;
  readonly hostKeys?: string;
}

type Verb = (name: string, description: string) => Command;

/** `spoonctl dotfiles repo token`, `key` and `public` */
export function addRepositoryCredential(verb: Verb, line: CommandLine, text: (state: RepositoryState) => string): void {
  verb('token [url]', 'give the token of a private repository; it comes from stdin, or is asked for')
    .option('--from <file>', 'the token is what this file holds')
    .option('--username <name>', 'the name that goes with it, where the host takes only the right one')
    .addHelpText('after', '\nExample:\n  gh auth token | spoonctl dotfiles repo token ada/dotfiles')
    .action(async (url: string | undefined, options: CredentialOptions & JsonOption) => {
      const state = await setCredential(line, await addressOf(line, url), 'token', options);
      line.print(options, state, () => text(state));
    });

  verb('key [url]', 'give the deploy key of a private repository with an ssh address; without passphrase')
    .requiredOption('--from <file>', 'the private key; - for stdin')
    .option('--host-keys <file>', "the server's own keys, as ssh-keyscan prints them; those of large hosts are known")
    .addHelpText('after', '\nExample:\n  spoonctl dotfiles repo key git@github.com:ada/dotfiles --from deploy_key')
    .action(async (url: string | undefined, options: CredentialOptions & JsonOption) => {
      const state = await setCredential(line, await addressOf(line, url), 'key', options);
      line.print(options, state, () => text(state));
    });

  verb('public', 'forget the token or deploy key of the repository').action(async (options: JsonOption) => {
    const { api } = await connect(line);
    const state = await api.call('removeRepositoryCredential');
    line.print(options, state, () => text(state));
  });
}

async function setCredential(
  line: CommandLine,
  url: string,
  kind: 'token' | 'key',
  options: CredentialOptions,
): Promise<RepositoryState> {
  const body = await sealCredential(line, url, kind, options);
  return (await connect(line)).api.call('setRepositoryCredential', { body });
}

/**
 * The token or key, sealed for the host of this address.
 * @throws UsageError, SpoonError `credential-invalid`, `host-key-invalid`, `seal-…`
 */
export async function sealCredential(
  line: CommandLine,
  url: string,
  kind: 'token' | 'key',
  { from, username, hostKeys }: CredentialOptions,
): Promise<SetRepositoryCredentialRequest> {
  if (kindFor(url) !== kind) {
    throw new UsageError(
      kind === 'token'
        ? 'An address with ssh takes a deploy key: spoonctl dotfiles repo key.'
        : 'A deploy key goes with an ssh address, such as git@github.com:owner/repo; https takes a token.',
    );
  }
  const host = credentialHost(url);
  const text = await readText(line, `${kind === 'token' ? 'Token' : 'Key'} for ${host}: `, from);
  const value = Buffer.from(kind === 'token' ? checkToken(text.trim()) : checkDeployKey(text));
  const given = hostKeys === undefined ? [] : readHostKeys((await readLocalFile(hostKeys)).bytes.toString('utf8'));
  const known = await sealer(line);
  const sealed = await sealForService({ ...known, use: credentialUse(kind, host), value });
  return { kind, host, sealed, hostKeys: given, ...(username === undefined ? {} : { username }) };
}

/** Never from the command line, where every user of the machine can read it. */
async function readText(line: CommandLine, question: string, from: string | undefined): Promise<string> {
  if (from !== undefined && from !== '-') return (await readLocalFile(from)).bytes.toString('utf8');
  if (from === '-' || isStdinGiven(line)) return (await readStdin(line)).toString('utf8');
  if (!line.stdin.isTTY) throw new UsageError('No value. Give it on stdin, or with --from FILE.');
  return ask(line, question, { hidden: true });
}

/** Hosts that only the operator can allow are the service's to judge. */
export function anyHostAddress(typed: string): string {
  const url = expandRepositoryAddress(typed);
  if (!URL.canParse(url)) return checkDotfilesAddress(url);
  const { host, hostname, port } = new URL(url);
  return checkDotfilesAddress(url, [host, `${hostname}:${port || '22'}`]);
}

async function addressOf(line: CommandLine, typed: string | undefined): Promise<string> {
  if (typed !== undefined) return anyHostAddress(typed);
  const { settings } = await (await connect(line)).api.call('repository');
  if (settings !== null) return settings.url;
  throw new UsageError('No repository is chosen yet. Say which one it is for: spoonctl dotfiles repo token OWNER/REPO');
}
