import { stat } from 'node:fs/promises';
import type { Fetch } from '../../client/apiClient.ts';
import { isLoopback } from '../../client/serviceUrl.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { trustOwnAuthorities } from '../certificates.ts';
import { type CommandLine, UsageError } from '../commandLine.ts';
import { type Connection, connect, connectWith } from '../connection.ts';
import { credentialsFile } from '../credentials.ts';
import type { Checks } from './checks.ts';

/** Node's fetch takes them up only when it is told to (nodejs.org/api/cli.html, NODE_USE_ENV_PROXY). */
const proxyVariables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

export interface MachineFacts {
  /** Of spoonctl. */
  readonly version: string;
  /** May administer a service on this machine, without a token. */
  readonly isOperator: boolean;
  readonly transport: Fetch;
}

/**
 * What of this machine can keep spoonctl from the service.
 * @returns the service that is meant, without `tokenId` where nobody is signed in there; undefined: none is
 */
export async function checkMachine(
  checks: Checks,
  line: CommandLine,
  { version, isOperator, transport }: MachineFacts,
): Promise<Connection | undefined> {
  checks.ok('spoonctl', `${version}, Node ${process.versions.node}`);
  checkAuthorities(checks, line);
  await checkCredentialsFile(checks, line);
  const signedIn = await checks.ask('Sign-in', () => signIn(checks, line, isOperator, transport));
  const connection = signedIn ?? withoutToken(line, transport);
  if (connection !== undefined) checkProxy(checks, line.env, connection.api.url);
  return connection;
}

function checkAuthorities(checks: Checks, { env }: CommandLine): void {
  if (!env.SPOON_CA_FILE) return;
  try {
    const ended = trustOwnAuthorities(env).filter(({ validToDate }) => validToDate.getTime() < Date.now());
    const [first] = ended;
    if (first === undefined) checks.ok('Authorities', `those of ${env.SPOON_CA_FILE} are trusted too`);
    else {
      const found = `${ended.length} of those in ${env.SPOON_CA_FILE} have expired, the first on ${first.validTo}.`;
      checks.warn('Authorities', found, 'Ask your administrator for the file as it is now.');
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    checks.fail('Authorities', error.message, 'Name a PEM file with certificates, or unset SPOON_CA_FILE.');
  }
}

async function checkCredentialsFile(checks: Checks, { env, homeDir }: CommandLine): Promise<void> {
  const file = credentialsFile(env, homeDir);
  // What cannot be looked at is told by who reads it.
  const facts = await stat(file).catch(() => undefined);
  if (facts === undefined || (facts.mode & 0o077) === 0) return;
  checks.warn(
    'Stored sign-in',
    `Others on this machine could read ${file}; from now on only you can.`,
    'Where somebody may have: sign in again, then end the old token with spoonctl tokens revoke.',
  );
}

async function signIn(
  checks: Checks,
  line: CommandLine,
  isOperator: boolean,
  transport: Fetch,
): Promise<Connection | undefined> {
  const { env, homeDir } = line;
  const stored = credentialsFile(env, homeDir);
  let connection: Connection;
  try {
    connection = await connect(line, transport);
  } catch (error) {
    const isWanted = Boolean(env.SPOON_URL || env.SPOON_TOKEN);
    if (!isOperator || isWanted || !(error instanceof SpoonError) || error.code !== 'not-signed-in') throw error;
    checks.ok('Sign-in', 'none here; this account may administer the service of this machine');
    return undefined;
  }
  const from = env.SPOON_TOKEN ? 'SPOON_TOKEN' : stored;
  if (connection.tokenId === undefined) {
    const advice = env.SPOON_TOKEN ? 'Copy it again.' : 'Sign in with: spoonctl login';
    checks.fail('Sign-in', `What ${from} holds is not a whole Spoon token. It was not sent.`, advice);
    return connection;
  }
  checks.ok('Sign-in', `${connection.username ?? 'a token'} at ${connection.api.host}, from ${from}`);
  return connection;
}

/** What needs no token can be looked at all the same. */
function withoutToken({ env }: CommandLine, transport: Fetch): Connection | undefined {
  if (!env.SPOON_URL) return undefined;
  try {
    return { api: connectWith(env.SPOON_URL, '', transport), username: undefined, tokenId: undefined };
  } catch (error) {
    // The sign-in has said what is wrong with the address.
    if (error instanceof SpoonError && error.code === 'service-url-invalid') return undefined;
    throw error;
  }
}

function checkProxy(checks: Checks, env: NodeJS.ProcessEnv, serviceUrl: string): void {
  const name = proxyVariables.find((variable) => env[variable]);
  if (name === undefined || isLoopback(new URL(serviceUrl).hostname)) return;
  const value = env[name] ?? '';
  // Only its host: there may be a password in the rest.
  const proxy = (URL.canParse(value) && new URL(value).host) || 'something that is no address';
  if (env.NODE_USE_ENV_PROXY === '1') {
    checks.ok('Proxy', `requests go through ${proxy} (${name})`);
    return;
  }
  checks.warn(
    'Proxy',
    `${name} names ${proxy}. spoonctl goes straight to the service, not through it.`,
    'Where only the proxy gets there: NODE_USE_ENV_PROXY=1 sends requests through it.',
  );
}
