import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { ApiClient, type Fetch } from '../client/apiClient.ts';
import { parseServiceUrl } from '../client/serviceUrl.ts';
import { SpoonError } from '../protocol/errors.ts';
import { parseToken } from '../protocol/tokenFormat.ts';
import type { CommandLine } from './commandLine.ts';
import { credentialsFile, readCredentials, type SignIn } from './credentials.ts';
import { unixFetch } from './unixFetch.ts';

export interface Connection {
  readonly api: ApiClient;
  /** As far as it is known without asking: tokens from the environment come without. */
  readonly username: string | undefined;
  /** Undefined for what is not a whole token. */
  readonly tokenId: string | undefined;
}

const clientId = `spoonctl-${randomUUID()}`;

/** A client of one address with one token, before anything is stored. */
export function connectWith(url: string, token: string, transport: Fetch = fetch): ApiClient {
  return new ApiClient({ url, token: () => token, clientId, fetch: transport });
}

/**
 * The service that is meant: `SPOON_URL` and `SPOON_TOKEN`; what is missing of them comes from where you signed in.
 * @throws SpoonError `not-signed-in`
 */
export async function connect({ env, homeDir }: CommandLine, transport?: Fetch): Promise<Connection> {
  const [url, token] = [given(env.SPOON_URL), given(env.SPOON_TOKEN)];
  const to = (address: string, shown: string, username?: string): Connection => ({
    api: connectWith(address, shown, transport),
    username,
    tokenId: parseToken(shown)?.id,
  });
  if (url !== undefined && token !== undefined) return to(url, token);
  const credentials = await readCredentials(credentialsFile(env, homeDir));
  const address = url === undefined ? credentials.default : parseServiceUrl(url);
  if (address === null) {
    const missing = token === undefined ? undefined : 'SPOON_TOKEN is set, but no SPOON_URL beside it.';
    throw new SpoonError('not-signed-in', missing);
  }
  const signIn: SignIn | undefined = credentials.services[address];
  if (token !== undefined) return to(address, token);
  if (signIn === undefined) throw new SpoonError('not-signed-in', `There is no token for ${address} here.`);
  return to(address, signIn.token, signIn.username ?? undefined);
}

/**
 * For administrators: `SPOON_URL` and `SPOON_TOKEN` where set, else the admin socket of the service on this machine, which
 * only its own user and root can open.
 * @throws SpoonError `not-signed-in` when there is neither
 */
export async function connectAsAdmin(line: CommandLine): Promise<ApiClient> {
  const { env } = line;
  if (given(env.SPOON_URL) !== undefined || given(env.SPOON_TOKEN) !== undefined) return (await connect(line)).api;
  const sockets = adminSockets(env);
  const socket = sockets.find((file) => mayBeThere(file));
  if (socket === undefined) {
    throw new SpoonError(
      'not-signed-in',
      `No service runs on this machine (looked for ${sockets.join(' and ')}). Start it, or set SPOON_URL and SPOON_TOKEN of an administrator.`,
    );
  }
  return clientOfSocket(socket);
}

/**
 * The admin socket of the service on this machine, for who may open it; undefined where there is none for this account.
 * Whether anybody answers there is not known yet.
 */
export function operatorOf({ env }: Pick<CommandLine, 'env'>): ApiClient | undefined {
  const socket = adminSockets(env).find((file) => accessTo(file) === undefined);
  return socket === undefined ? undefined : clientOfSocket(socket);
}

function clientOfSocket(socket: string): ApiClient {
  const transport = unixFetch(socket);
  return new ApiClient({ url: 'http://localhost', label: socket, token: () => undefined, clientId, fetch: transport });
}

function adminSockets(env: NodeJS.ProcessEnv): string[] {
  const workdir = given(env.SPOON_AGENT_WORKDIR);
  const candidates = workdir === undefined ? ['.local/agent-work', '/var/lib/spoon-agent/work'] : [workdir];
  return candidates.map((candidate) => join(candidate, 'admin', 'admin.sock'));
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

/** A socket that may not be opened is there all the same: the connection then says so. */
function mayBeThere(file: string): boolean {
  const code = accessTo(file);
  return code === undefined || code === 'EACCES';
}

/** @returns why this account cannot open it; undefined: it can */
function accessTo(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
