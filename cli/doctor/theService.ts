import type { ApiClient } from '../../client/apiClient.ts';
import type { Health } from '../../protocol/boxes.ts';
import type { Me } from '../../protocol/identity.ts';
import { formatTime } from '../commandLine.ts';
import type { Connection } from '../connection.ts';
import { nameOf } from '../login.ts';
import type { Checks } from './checks.ts';
import type { HeardClock } from './clock.ts';
import { openOneSocket } from './oneSocket.ts';

const dayMs = 24 * 60 * 60_000;
const soonMs = 7 * dayMs;

interface Reached {
  readonly health: Health;
  /** Undefined where the token is not taken. */
  readonly me: Me | undefined;
}

/** The way to the service and back, as who is signed in. @returns undefined where it does not answer as it should */
export async function checkService(
  checks: Checks,
  { api, tokenId }: Connection,
  { version, clock }: { version: string; clock: HeardClock },
): Promise<Reached | undefined> {
  const health = await checks.ask('Answer', async () => {
    const startMs = performance.now();
    const answer = await api.checkCompatible();
    checks.ok('Answer', `in ${Math.max(1, Math.round(performance.now() - startMs))} ms`);
    return answer;
  });
  clock.check(checks);
  if (health === undefined) return undefined;
  checks.ok('Version', `${health.version} there, ${version} here: they understand each other`);
  if (tokenId === undefined) return { health, me: undefined };
  const me = await checks.ask('Account', async () => {
    const found = await api.call('me');
    checks.ok('Account', nameOf(found));
    return found;
  });
  if (me !== undefined) await checkToken(checks, api, me, tokenId);
  if (me?.kind === 'user') {
    await checks.ask('WebSockets', async () => {
      await openOneSocket(api);
      checks.ok('WebSockets', 'open; terminals and live changes go through');
    });
  }
  return { health, me };
}

/** What anybody is told; an administrator is told more elsewhere. */
export function checkPublicHealth(checks: Checks, { problems }: Health): void {
  if (problems.length === 0) checks.ok('Health', 'nothing is wrong');
  for (const problem of problems) checks.warn('Health', problem);
}

async function checkToken(checks: Checks, api: ApiClient, me: Me, tokenId: string): Promise<void> {
  const listed = me.scopes.includes('tokens:manage')
    ? await checks.ask('Token', () => api.call('listTokens'))
    : me.scopes.includes('admin:system')
      ? await checks.ask('Token', () => api.call('adminListTokens'))
      : undefined;
  const expiresMs = listed?.tokens.find(({ id }) => id === tokenId)?.expiresMs;
  if (expiresMs === undefined) return;
  const until = `valid until ${formatTime(expiresMs)}`;
  // That of an administrator who signed in lives for hours, on purpose, and is not renewed.
  const isEnding = me.kind === 'user' && expiresMs - Date.now() <= soonMs;
  if (isEnding) checks.warn('Token', until, 'Let it live longer with: spoonctl tokens renew');
  else checks.ok('Token', until);
}
