import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import type { TokenInfo } from '../../protocol/identity.ts';
import { defaultTokenLifeDays, maxTokenLifeDays, maxTokensPerOwner } from '../../protocol/limits.ts';
import { adminScopes, type Scope, userScopes } from '../../protocol/scopes.ts';
import { formatToken, parseToken, randomBase62, tokenKinds } from '../../protocol/tokenFormat.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables, TokenRow } from '../store/tables.ts';
import { checkDisplayName } from './users.ts';

/** Bearer tokens (`security.md` section 4): shown once, kept as a keyed hash, never longer than a year. */

export interface TokenHolder {
  readonly kind: 'user' | 'admin';
  /** Null for an administrator, who has no contents. */
  readonly userId: string | null;
  /** Also of an administrator who is a user: says who it was. */
  readonly username: string | null;
  readonly tokenId: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface NewToken {
  /** A user's id; {@link systemOwnerId} for an admin token of nobody. */
  readonly ownerId: string;
  readonly kind: 'user' | 'admin';
  readonly name: string;
  readonly lifeDays?: number;
  /** Instead of `lifeDays`, for less than a day. */
  readonly lifeMs?: number;
  /** The token that asks for it, which must not have been revoked meanwhile. */
  readonly askedBy?: string | null;
  /** What must still hold when the token comes to be. @throws SpoonError when it does not */
  readonly check?: () => void;
}

export interface TokensParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** Told when a token ends before its time, so that what it opened is closed. */
  readonly onRevoked: (tokenId: string) => void;
  /** `last used` could not be written: the request it belongs to goes on. */
  readonly onError: (error: unknown) => void;
  readonly now?: () => number;
}

/** What a token lets somebody do, and for how long. */
type Rights = Pick<TokenRow, 'id' | 'owner_id' | 'kind' | 'scopes' | 'expires_ms'>;

const idCharacters = 12;
const secretCharacters = 43;
const dayMs = 24 * 60 * 60 * 1000;
const lastUsedGrainMs = 60_000;
/** Hashed when no row is found, so that an unknown id takes as long as a wrong secret (row 49). */
const noRights: Rights = { id: '', owner_id: '', kind: 'user', scopes: '', expires_ms: 0 };

export class Tokens {
  readonly #parts: TokensParts;
  readonly #now: () => number;
  #noting: Promise<unknown> = Promise.resolve();

  constructor(parts: TokensParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /** @throws SpoonError `token-limit`, `request-invalid` for its name, `user-disabled`, `not-an-admin`, `unauthenticated` */
  async create(wanted: NewToken): Promise<{ token: string; info: TokenInfo }> {
    const { ownerId, kind, lifeMs = (wanted.lifeDays ?? defaultTokenLifeDays) * dayMs } = wanted;
    const name = checkDisplayName(wanted.name);
    const { store, keyring } = this.#parts;
    const id = randomBase62(idCharacters, randomBytes);
    const secret = randomBase62(secretCharacters, randomBytes);
    const createdMs = this.#now();
    const rights = {
      id,
      owner_id: ownerId,
      kind,
      scopes: (kind === 'admin' ? adminScopes : userScopes).join(' '),
      expires_ms: createdMs + lifeMs,
    };
    const row: TokenRow = {
      ...rights,
      name_enc: await keyring.seal(nameContext(ownerId, id), Buffer.from(name)),
      hash: await this.#hashOf(rights, secret),
      created_ms: createdMs,
      last_used_ms: null,
      revoked_ms: null,
    };
    await store.transaction(async (trx) => {
      const owner = await trx
        .selectFrom('users')
        .select(['disabled_ms', 'admin_mac'])
        .where('id', '=', ownerId)
        .executeTakeFirst();
      if (ownerId !== systemOwnerId && owner?.disabled_ms !== null) throw new SpoonError('user-disabled');
      wanted.check?.();
      if (wanted.askedBy) await requireUnrevoked(trx, wanted.askedBy);
      if (ownerId !== systemOwnerId && kind === 'admin' && owner?.admin_mac === null) {
        throw new SpoonError('not-an-admin');
      }
      const live = await trx
        .selectFrom('tokens')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('owner_id', '=', ownerId)
        .where('revoked_ms', 'is', null)
        .where('expires_ms', '>', createdMs)
        .executeTakeFirst();
      if (Number(live?.count ?? 0) >= maxTokensPerOwner) throw new SpoonError('token-limit');
      await trx.insertInto('tokens').values(row).execute();
    });
    return { token: formatToken({ kind: tokenKinds[kind], id, secret }), info: await this.#toInfo(row) };
  }

  /** @throws SpoonError `unauthenticated`, `token-expired`, `user-disabled` */
  async verify(text: string): Promise<TokenHolder> {
    const parts = parseToken(text);
    if (parts === undefined || parts.kind === 't' || parts.kind === 'w') throw new SpoonError('unauthenticated');
    const row = await this.#parts.store.db
      .selectFrom('tokens')
      .leftJoin('users', 'users.id', 'tokens.owner_id')
      .selectAll('tokens')
      .select(['users.username', 'users.disabled_ms', 'users.admin_mac'])
      .where('tokens.id', '=', parts.id)
      .executeTakeFirst();
    const hash = await this.#hashOf(row ?? noRights, parts.secret);
    const isRight = row?.hash.length === hash.length && timingSafeEqual(hash, row.hash);
    if (row === undefined || !isRight || parts.kind !== tokenKinds[row.kind] || row.revoked_ms !== null) {
      throw new SpoonError('unauthenticated');
    }
    if (this.#now() >= row.expires_ms) throw new SpoonError('token-expired', 'Make a new one and sign in again.');
    if (row.username === null && row.owner_id !== systemOwnerId) throw new SpoonError('unauthenticated');
    if (row.kind === 'admin' && row.username !== null && row.admin_mac === null)
      throw new SpoonError('unauthenticated');
    if (row.disabled_ms !== null) throw new SpoonError('user-disabled');
    this.#noteUse(row);
    return {
      kind: row.kind,
      userId: row.kind === 'user' ? row.owner_id : null,
      username: row.username,
      tokenId: row.id,
      scopes: new Set(row.scopes.split(' ') as Scope[]),
    };
  }

  /** Those that can still be used, newest first. */
  async list(ownerId: string): Promise<TokenInfo[]> {
    const rows = await this.#parts.store.db
      .selectFrom('tokens')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('revoked_ms', 'is', null)
      .where('expires_ms', '>', this.#now())
      .orderBy('created_ms', 'desc')
      .execute();
    return Promise.all(rows.map((row) => this.#toInfo(row)));
  }

  /**
   * Ends it at once, with the sockets it opened.
   * @param ownerId whose it must be; absent: anybody's
   * @throws SpoonError `not-found`, also for somebody else's
   */
  async revoke(id: string, ownerId?: string): Promise<void> {
    let query = this.#parts.store.db
      .updateTable('tokens')
      .set({ revoked_ms: this.#now() })
      .where('id', '=', id)
      .where('revoked_ms', 'is', null);
    if (ownerId !== undefined) query = query.where('owner_id', '=', ownerId);
    const { numUpdatedRows } = await query.executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) throw new SpoonError('not-found');
    this.#parts.onRevoked(id);
  }

  /** As {@link revoke}, for all that the owner has; {@link create} gives an owner who is disabled no new ones. */
  async revokeAllOf(ownerId: string, kind?: TokenRow['kind']): Promise<void> {
    let query = this.#parts.store.db
      .updateTable('tokens')
      .set({ revoked_ms: this.#now() })
      .where('owner_id', '=', ownerId)
      .where('revoked_ms', 'is', null);
    if (kind !== undefined) query = query.where('kind', '=', kind);
    const rows = await query.returning('id').execute();
    for (const { id } of rows) this.#parts.onRevoked(id);
  }

  /**
   * Lets a token live on from now, so that nobody has to pass a new one around. It ends a year after it was made all the same:
   * one that was stolen does not live for ever.
   * @param text the token itself, as only who holds it can give: its end is part of what its hash covers
   * @throws SpoonError as {@link verify}
   */
  async renew(text: string, lifeDays = defaultTokenLifeDays): Promise<TokenInfo> {
    const { tokenId } = await this.verify(text);
    const secret = parseToken(text)?.secret ?? '';
    const { store } = this.#parts;
    const row = await store.transaction(async (trx) => {
      const found = await trx
        .selectFrom('tokens')
        .selectAll()
        .where('id', '=', tokenId)
        .where('revoked_ms', 'is', null)
        .executeTakeFirst();
      if (found === undefined) throw new SpoonError('unauthenticated');
      const longest = found.created_ms + maxTokenLifeDays * dayMs;
      const expires_ms = Math.max(found.expires_ms, Math.min(this.#now() + lifeDays * dayMs, longest));
      const renewed = { ...found, expires_ms };
      const hash = await this.#hashOf(renewed, secret);
      await trx.updateTable('tokens').set({ expires_ms, hash }).where('id', '=', tokenId).execute();
      return renewed;
    });
    return this.#toInfo(row);
  }

  /** Resolves when everything noted so far is written. */
  async settle(): Promise<void> {
    await this.#noting;
  }

  /** Minute-grained, and beside the request: a busy store does not hold up who only reads. */
  #noteUse({ id, last_used_ms }: TokenRow): void {
    const minute = Math.floor(this.#now() / lastUsedGrainMs) * lastUsedGrainMs;
    if (last_used_ms !== null && last_used_ms >= minute) return;
    const { store, onError } = this.#parts;
    this.#noting = this.#noting
      .then(() => store.db.updateTable('tokens').set({ last_used_ms: minute }).where('id', '=', id).execute())
      .catch(onError);
  }

  /**
   * Keyed, and over the whole row: who can write the database, but has no key, can neither make a token nor turn one into
   * another user's (`security.md` section 1). A quick hash is right for 256 random bits; a slow one is for passwords.
   */
  #hashOf({ id, owner_id, kind, scopes, expires_ms }: Rights, secret: string): Promise<Uint8Array> {
    const data = lengthPrefixed([id, owner_id, kind, scopes, String(expires_ms), secret]);
    return this.#parts.keyring.mac(systemOwnerId, 'token', data);
  }

  async #toInfo(row: TokenRow): Promise<TokenInfo> {
    const name = await this.#parts.keyring.open(nameContext(row.owner_id, row.id), row.name_enc);
    return {
      id: row.id,
      name: Buffer.from(name).toString('utf8'),
      kind: row.kind,
      scopes: row.scopes.split(' '),
      createdMs: row.created_ms,
      expiresMs: row.expires_ms,
      lastUsedMs: row.last_used_ms,
    };
  }
}

/** @throws SpoonError `unauthenticated` */
async function requireUnrevoked(trx: Transaction<Tables>, id: string): Promise<void> {
  const row = await trx.selectFrom('tokens').select('revoked_ms').where('id', '=', id).executeTakeFirst();
  if (row?.revoked_ms !== null) throw new SpoonError('unauthenticated');
}

function nameContext(ownerId: string, tokenId: string) {
  return { ownerId, kind: 'token', objectId: tokenId, version: 0, mode: 0 } as const;
}
