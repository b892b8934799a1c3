import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { SpoonError } from '../../protocol/errors.ts';
import { adminScopes, type RouteScope, userScopes } from '../../protocol/scopes.ts';
import { parseToken } from '../../protocol/tokenFormat.ts';
import { socketProtocol, ticketProtocolPrefix } from '../../protocol/version.ts';
import type { RateLimits } from './rateLimits.ts';
import type { Caller } from './route.ts';

/** Who makes a request: the same reading of credentials for requests and for upgrades. */

export interface Authentication {
  /** Of a user, an admin or a worker. @throws SpoonError `unauthenticated`, `token-expired`, `user-disabled` */
  readonly verify: (token: string) => Promise<Caller>;
  /** Sockets that the admin socket accepted. */
  readonly operatorSockets: WeakSet<Socket>;
  readonly limits: RateLimits;
}

/** The service's own uid, over a socket that only it can open: no token, no contents (docs/decisions). */
export const operator: Caller = {
  kind: 'operator',
  userId: null,
  username: null,
  tokenId: null,
  scopes: new Set(adminScopes),
};

const maxTokenCharacters = 128;

/** One text for all that is wrong with a credential (row 47): a guesser learns nothing. @throws SpoonError */
export function bearerOf(request: IncomingMessage): string {
  let found: string | undefined;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() !== 'authorization') continue;
    if (found !== undefined) throw new SpoonError('unauthenticated');
    found = request.rawHeaders[index + 1] ?? '';
  }
  const match = /^Bearer (\S+)$/i.exec(found ?? '');
  if (match?.[1] === undefined || match[1].length > maxTokenCharacters) throw new SpoonError('unauthenticated');
  return match[1];
}

/** @param address of the peer, for the count of refused tokens @throws SpoonError */
export async function authenticate(
  request: IncomingMessage,
  address: string,
  { verify, operatorSockets, limits }: Authentication,
): Promise<Caller> {
  if (operatorSockets.has(request.socket)) return operator;
  const token = bearerOf(request);
  // Garbage costs the store nothing (row 48).
  const kind = parseToken(token)?.kind;
  try {
    if (kind !== 'u' && kind !== 'a' && kind !== 'w') throw new SpoonError('unauthenticated');
    return await verify(token);
  } catch (error) {
    if (error instanceof SpoonError && error.status === 401) limits.refusedTokens.take(address);
    throw error;
  }
}

/** Default deny. @throws SpoonError `insufficient-scope` */
export function requireScope(caller: Caller, scope: Exclude<RouteScope, 'public' | 'ticket'>): void {
  if (scope === 'operator') {
    if (caller.kind === 'operator') return;
    throw new SpoonError('insufficient-scope', 'Only at the machine of the service, as its account or root.');
  }
  // A worker may do what its one scope names, and nothing that any signed-in user may.
  if (scope === 'signed-in' ? caller.kind !== 'worker' : caller.scopes.has(scope)) return;
  // A token of a user has every scope that there was when it was made.
  const isOld = caller.userId !== null && userScopes.some((known) => known === scope);
  throw new SpoonError('insufficient-scope', isOld ? olderThan(scope) : undefined);
}

function olderThan(scope: string): string {
  return `It is older than ${scope}. Sign in with a new one: "spoonctl tokens create" or "npm run up" makes it.`;
}

/** Of somebody with contents: admins and the operator have none (row 52). @throws SpoonError `insufficient-scope` */
export function requireUser(caller: Caller): { userId: string; username: string; tokenId: string } {
  const { userId, username, tokenId } = caller;
  if (userId === null || username === null || tokenId === null) {
    throw new SpoonError('insufficient-scope', 'Only the user can do this, with a token of the user.');
  }
  return { userId, username, tokenId };
}

/**
 * The ticket of an upgrade: beside the subprotocol where a browser sends it, in a header elsewhere.
 * @throws SpoonError `ticket-invalid`
 */
export function ticketOf(request: IncomingMessage): string {
  const offered = protocolsOf(request).filter((name) => name.startsWith(ticketProtocolPrefix));
  const [first, second] = offered;
  if (second !== undefined) throw new SpoonError('ticket-invalid');
  let ticket: string;
  if (first !== undefined) ticket = first.slice(ticketProtocolPrefix.length);
  else {
    try {
      ticket = bearerOf(request);
    } catch (cause) {
      throw new SpoonError('ticket-invalid', undefined, { cause });
    }
  }
  if (parseToken(ticket)?.kind !== 't') throw new SpoonError('ticket-invalid');
  return ticket;
}

/** Whether the answer names the subprotocol: only where the client offered it (RFC 6455 section 4.2.2), never the ticket. */
export function offersSpoonProtocol(request: IncomingMessage): boolean {
  return protocolsOf(request).includes(socketProtocol);
}

function protocolsOf(request: IncomingMessage): string[] {
  return (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
}
