import { SpoonError } from '../../protocol/errors.ts';
import { defaultShareLifeMs, maxSharesPerUser } from '../../protocol/limits.ts';
import type { ShareTerminalRequest } from '../../protocol/shares.ts';
import { randomBase62 } from '../../protocol/tokenFormat.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { TerminalShareRow } from '../store/tables.ts';

export interface StoredShare {
  readonly id: string;
  readonly ownerId: string;
  readonly guestId: string;
  readonly terminalId: string;
  readonly write: boolean;
  readonly createdMs: number;
  readonly expiresMs: number;
}

export interface SharesParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** A user who can be given something. */
  readonly findGuest: (username: string) => Promise<{ readonly id: string; readonly disabled: boolean } | undefined>;
  /** @throws SpoonError `not-found` unless it is a running terminal of this user */
  readonly requireTerminal: (userId: string, terminalId: string) => Promise<unknown>;
  /** A share is over: who watches must go. */
  readonly onEnd: (shareId: string) => void;
  readonly now: () => number;
}

const idCharacters = 22;

/** Which terminals are shared with whom. Each row is vouched for by a key: an edited one opens no terminal. */
export class Shares {
  readonly #parts: SharesParts;

  constructor(parts: SharesParts) {
    this.#parts = parts;
  }

  /** @throws SpoonError `not-found` for the terminal, `share-refused` for the guest, `share-limit` */
  async create(ownerId: string, terminalId: string, request: ShareTerminalRequest): Promise<StoredShare> {
    const { store, findGuest, requireTerminal, now } = this.#parts;
    await requireTerminal(ownerId, terminalId);
    const guest = await findGuest(request.with);
    if (guest === undefined || guest.disabled) throw new SpoonError('share-refused', 'Nobody here has this username.');
    if (guest.id === ownerId) throw new SpoonError('share-refused', 'It is your own terminal.');
    const createdMs = now();
    const share: StoredShare = {
      id: randomBase62(idCharacters, (count) => crypto.getRandomValues(new Uint8Array(count))),
      ownerId,
      guestId: guest.id,
      terminalId,
      write: request.write ?? false,
      createdMs,
      expiresMs: createdMs + (request.lifeMs ?? defaultShareLifeMs),
    };
    const mac = await this.#macOf(share);
    await store.transaction(async (trx) => {
      // Disabling one of them has ended what they had: a request that was under way must not bring it back.
      const enabled = trx.selectFrom('users').select('id').where('disabled_ms', 'is', null);
      const both = await enabled.where('id', 'in', [ownerId, guest.id]).execute();
      if (both.length < 2) throw new SpoonError('share-refused', 'Nobody here has this username.');
      await trx.deleteFrom('terminal_shares').where('expires_ms', '<=', createdMs).execute();
      const given = await trx.selectFrom('terminal_shares').select('id').where('owner_id', '=', ownerId).execute();
      if (given.length >= maxSharesPerUser) throw new SpoonError('share-limit');
      await trx
        .insertInto('terminal_shares')
        .values({ ...toRow(share), mac })
        .execute();
    });
    return share;
  }

  /** Of both sides; what is over is not in it. */
  async list(userId: string): Promise<StoredShare[]> {
    const rows = await this.#parts.store.db
      .selectFrom('terminal_shares')
      .selectAll()
      .where((row) => row.or([row('owner_id', '=', userId), row('guest_id', '=', userId)]))
      .orderBy('created_ms')
      .execute();
    const shares = await Promise.all(rows.map((row) => this.#open(row)));
    return shares.filter((share) => share !== undefined);
  }

  /** For the guest alone. @throws SpoonError `not-found`, also for one that is over or somebody else's */
  async forGuest(guestId: string, id: string): Promise<StoredShare> {
    const share = await this.#find(id);
    if (share?.guestId !== guestId) throw new SpoonError('not-found');
    return share;
  }

  /** By either side. @throws SpoonError `not-found` */
  async end(userId: string, id: string): Promise<StoredShare> {
    const share = await this.#find(id);
    if (share === undefined || (share.ownerId !== userId && share.guestId !== userId))
      throw new SpoonError('not-found');
    await this.#parts.store.db.deleteFrom('terminal_shares').where('id', '=', id).execute();
    this.#parts.onEnd(id);
    return share;
  }

  /** For a user who is disabled or removed: neither gives nor takes any more. */
  async endAllOf(userId: string): Promise<void> {
    const rows = await this.#parts.store.db
      .deleteFrom('terminal_shares')
      .where((row) => row.or([row('owner_id', '=', userId), row('guest_id', '=', userId)]))
      .returning('id')
      .execute();
    for (const { id } of rows) this.#parts.onEnd(id);
  }

  async #find(id: string): Promise<StoredShare | undefined> {
    const { db } = this.#parts.store;
    const row = await db.selectFrom('terminal_shares').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : this.#open(row);
  }

  /** Undefined for one that is over, or that nobody with a key has written. */
  async #open(row: TerminalShareRow): Promise<StoredShare | undefined> {
    const share: StoredShare = {
      id: row.id,
      ownerId: row.owner_id,
      guestId: row.guest_id,
      terminalId: row.terminal_id,
      write: row.may_write === 1,
      createdMs: row.created_ms,
      expiresMs: row.expires_ms,
    };
    if (share.expiresMs <= this.#parts.now()) return undefined;
    return Buffer.from(await this.#macOf(share)).equals(row.mac) ? share : undefined;
  }

  #macOf({ id, ownerId, guestId, terminalId, write, createdMs, expiresMs }: StoredShare): Promise<Uint8Array> {
    const facts = [id, ownerId, guestId, terminalId, String(write), String(createdMs), String(expiresMs)];
    return this.#parts.keyring.mac(systemOwnerId, 'share', lengthPrefixed(facts));
  }
}

function toRow(share: StoredShare): Omit<TerminalShareRow, 'mac'> {
  return {
    id: share.id,
    owner_id: share.ownerId,
    guest_id: share.guestId,
    terminal_id: share.terminalId,
    may_write: share.write ? 1 : 0,
    created_ms: share.createdMs,
    expires_ms: share.expiresMs,
  };
}
