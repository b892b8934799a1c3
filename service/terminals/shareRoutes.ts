import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import type { Share } from '../../protocol/shares.ts';
import { requireUser } from '../http/authenticate.ts';
import { addRoute } from '../http/route.ts';
import type { GuestViewers } from './guestViewers.ts';
import type { Shares, StoredShare } from './shares.ts';
import type { Tickets } from './tickets.ts';

export interface ShareRouteParts {
  readonly shares: Shares;
  readonly guests: GuestViewers;
  readonly tickets: Tickets;
  /** @throws SpoonError `not-found` */
  readonly usernameOf: (userId: string) => Promise<string>;
  readonly onChange: (share: StoredShare) => void;
}

/** `/v1/shares` and what shares a terminal. */
export function addShareRoutes(app: FastifyInstance, parts: ShareRouteParts): void {
  const { shares, guests, tickets, usernameOf, onChange } = parts;
  const toShare = async (share: StoredShare): Promise<Share> => ({
    id: share.id,
    terminal: share.terminalId,
    owner: await usernameOf(share.ownerId),
    guest: await usernameOf(share.guestId),
    write: share.write,
    createdMs: share.createdMs,
    expiresMs: share.expiresMs,
    watching: guests.watchingOf(share.id),
  });

  addRoute(app, routes.shareTerminal, async ({ caller, params, body, request }) => {
    const share = await shares.create(requireUser(caller).userId, params.id ?? '', body);
    onChange(share);
    const told = await toShare(share);
    request.auditObject = `${told.id} with ${told.guest}, to ${told.write ? 'write' : 'read'}`;
    return told;
  });
  addRoute(app, routes.listShares, async ({ caller }) => {
    const { userId } = requireUser(caller);
    const all = await shares.list(userId);
    const [given, received] = await Promise.all([
      Promise.all(all.filter(({ ownerId }) => ownerId === userId).map(toShare)),
      Promise.all(all.filter(({ guestId }) => guestId === userId).map(toShare)),
    ]);
    return { given, received };
  });
  addRoute(app, routes.endShare, async ({ caller, params }) => {
    onChange(await shares.end(requireUser(caller).userId, params.id ?? ''));
    return undefined;
  });
  addRoute(app, routes.watchShare, async ({ caller, params }) => {
    const { userId, tokenId } = requireUser(caller);
    const { id } = await shares.forGuest(userId, params.id ?? '');
    return tickets.issue({ kind: 'share', id, userId, tokenId });
  });
}
