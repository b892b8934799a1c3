import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { readCredentials, removeSignIn, storeSignIn } from '../../cli/credentials.ts';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { userScopes } from '../../protocol/scopes.ts';
import type { Ready } from './serviceProcess.ts';

export interface LocalUser {
  readonly username: string;
  readonly token: string;
  readonly isNew: boolean;
}

const tokenLifeDays = 365;

/**
 * The person at this machine: the service's first user, made where there is none, with a token in spoonctl's own file.
 * @param operator over the admin socket
 * @param connectWith a client with a token, to see whether a stored one is still good
 */
export async function ensureLocalUser(
  { url, instanceId }: Ready,
  credentialsFile: string,
  { operator, connectWith }: { operator: ApiClient; connectWith: (token: string) => ApiClient },
): Promise<LocalUser> {
  const { users } = await operator.call('adminListUsers');
  const first = users.toSorted((a, b) => a.createdMs - b.createdMs)[0];
  const username = (
    first ?? (await operator.call('adminCreateUser', { body: { displayName: await ownDisplayName() } }))
  ).username;

  // By instance and not by address: with SPOON_LISTEN=127.0.0.1:0 the address is another each time.
  const { services } = await readCredentials(credentialsFile);
  const known = Object.entries(services).filter(([, signIn]) => signIn.instanceId === instanceId);
  const own = known.find(([, signIn]) => signIn.username === username)?.[1];
  const good = own !== undefined && (await isGood(connectWith(own.token)));
  const token = good ? own.token : await newToken(operator, username);
  for (const [address] of known) if (address !== url) await removeSignIn(credentialsFile, address);
  await storeSignIn(credentialsFile, url, { token, instanceId, username });
  return { username, token, isNew: first === undefined };
}

async function newToken(operator: ApiClient, username: string): Promise<string> {
  const body = { name: 'npm run up', lifeDays: tokenLifeDays };
  return (await operator.call('adminCreateToken', { params: { username }, body })).token;
}

async function isGood(api: ApiClient): Promise<boolean> {
  try {
    const { scopes } = await api.call('me');
    // One that an older Spoon has made does not open what came since.
    return userScopes.every((scope) => scopes.includes(scope));
  } catch (error) {
    if (error instanceof SpoonError && error.status === 401) return false;
    throw error;
  }
}

/** As git knows the person, else the name of the account. */
async function ownDisplayName(): Promise<string> {
  const fromGit = await promisify(execFile)('git', ['config', '--get', 'user.name']).then(
    ({ stdout }) => stdout.trim(),
    () => '', // no git, or no name in it
  );
  return (fromGit || userInfo().username).slice(0, 200);
}
