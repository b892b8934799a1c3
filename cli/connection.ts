import { randomUUID } from 'node:crypto';
import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../client/apiClient.ts';
import { parseServiceUrl } from '../client/serviceUrl.ts';
import { SpoonError } from '../protocol/errors.ts';
import type { CommandLine } from './commandLine.ts';
import { credentialsFile, readCredentials, type SignIn } from './credentials.ts';
import { unixFetch } from './unixFetch.ts';

export interface Connection {
  readonly api: ApiClient;
  /** As far as it is known without asking: tokens from the environment come without. */
  readonly username: string | undefined;
}

const clientId = `spoonctl-${randomUUID()}`;

/** A client of one address with one token, before anything is stored. */
export function connectWith(url: string, token: string): ApiClient {
  return new ApiClient({ url, token: () => token, clientId, fetch });
}

/**
 * The service that is meant: `SPOON_URL` and `SPOON_TOKEN`; what is missing of them comes from where you signed in.
 * @throws SpoonError `not-signed-in`
 */
export async function connect({ env, homeDir }: CommandLine): Promise<Connection> {
  const [url, token] = [given(env.SPOON_URL), given(env.SPOON_TOKEN)];
  if (url !== undefined && token !== undefined) return { api: connectWith(url, token), username: undefined };
  const credentials = await readCredentials(credentialsFile(env, homeDir));
  const address = url === undefined ? credentials.default : parseServiceUrl(url);
  if (address === null) {
    const missing = token === undefined ? undefined : 'SPOON_TOKEN is set, but no SPOON_URL beside it.';
    throw new SpoonError('not-signed-in', missing);
  }
  const signIn: SignIn | undefined = credentials.services[address];
  if (token !== undefined) return { api: connectWith(address, token), username: undefined };
  if (signIn === undefined) throw new SpoonError('not-signed-in', `There is no token for ${address} here.`);
  return { api: connectWith(address, signIn.token), username: signIn.username ?? undefined };
}

/**
 * For administrators: `SPOON_URL` and `SPOON_TOKEN` where set, else the admin socket of the service on this machine, which
 * only its own user and root can open.
 * @throws SpoonError `not-signed-in` when there is neither
 */
export async function connectAsAdmin(line: CommandLine): Promise<ApiClient> {
  const { env } = line;
  if (given(env.SPOON_URL) !== undefined || given(env.SPOON_TOKEN) !== undefined) return (await connect(line)).api;
  const workdirs = [given(env.SPOON_AGENT_WORKDIR)].filter((workdir) => workdir !== undefined);
  const candidates = workdirs.length > 0 ? workdirs : ['.local/agent-work', '/var/lib/spoon-agent/work'];
  const sockets = candidates.map((workdir) => join(workdir, 'admin', 'admin.sock'));
  const socket = sockets.find(isThere);
  if (socket === undefined) {
    throw new SpoonError(
      'not-signed-in',
      `No service runs on this machine (looked for ${sockets.join(' and ')}). Start it, or set SPOON_URL and SPOON_TOKEN of an administrator.`,
    );
  }
  return new ApiClient({
    url: 'http://localhost',
    label: socket,
    token: () => undefined,
    clientId,
    fetch: unixFetch(socket),
  });
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

function isThere(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch (error) {
    // A socket that may not be opened is there all the same: the connection then says so.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}
