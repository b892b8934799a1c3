import type { FastifyInstance } from 'fastify';
import type { SpoonEvent } from '../protocol/events.ts';
import type { Boxes } from './boxes/boxes.ts';
import type { Users } from './identity/users.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { Store } from './store/database.ts';
import { GuestViewers } from './terminals/guestViewers.ts';
import { isBoxGone } from './terminals/isBoxGone.ts';
import { addShareRoutes } from './terminals/shareRoutes.ts';
import { Shares, type StoredShare } from './terminals/shares.ts';
import type { Terminals } from './terminals/terminals.ts';
import type { Tickets } from './terminals/tickets.ts';

export interface ShareSideParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly users: Users;
  readonly boxes: Boxes;
  readonly terminals: Terminals;
  readonly tickets: Tickets;
  readonly publish: (userId: string, event: SpoonEvent) => void;
  readonly onError: (error: unknown, userId: string) => void;
}

/** Terminals that are shared with others, put together. */
export class ShareSide {
  readonly guests: GuestViewers;
  readonly #shares: Shares;
  readonly #parts: ShareSideParts;

  constructor(parts: ShareSideParts) {
    this.#parts = parts;
    const { store, keyring, users, boxes, terminals, onError } = parts;
    const shares = new Shares({
      store,
      keyring,
      findGuest: (username) => users.byName(username),
      requireTerminal: (userId, id) => terminals.require(userId, id),
      onEnd: (shareId) => this.guests.closeShare(shareId),
      now: Date.now,
    });
    this.#shares = shares;
    this.guests = new GuestViewers({
      find: (guestId, id) => shares.forGuest(guestId, id),
      open: ({ ownerId, terminalId }) => terminals.view(ownerId, terminalId),
      isBoxGone: (ownerId) => isBoxGone(boxes, ownerId),
      onChange: (share) => this.#tell(share),
      onError,
      now: Date.now,
    });
  }

  addRoutes(app: FastifyInstance): void {
    const { users, tickets } = this.#parts;
    addShareRoutes(app, {
      shares: this.#shares,
      guests: this.guests,
      tickets,
      usernameOf: async (userId) => (await users.byId(userId))?.username ?? '',
      onChange: (share) => this.#tell(share),
    });
  }

  endAllOf(userId: string): Promise<void> {
    return this.#shares.endAllOf(userId);
  }

  #tell({ ownerId, guestId }: StoredShare): void {
    for (const userId of [ownerId, guestId]) this.#parts.publish(userId, { type: 'shares.changed' });
  }
}
