import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { formatToken, parseToken, randomBase62, tokenKinds } from '../../protocol/tokenFormat.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { InviteRow, Tables } from '../store/tables.ts';
import { requireEnabled } from './requireEnabled.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What lets somebody choose a password once, for an account that is there already: at first, and when it was forgotten. */
export class Invites {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring; readonly now: () => number };

  constructor(parts: { store: Store; keyring: Keyring; now: () => number }) {
    this.#parts = parts;
  }

  /** Ends an earlier one of the same user. @throws SpoonError `user-disabled` */
  async create(userId: string, lifeDays: number): Promise<{ invite: string; expiresMs: number }> {
    const { store, now } = this.#parts;
    const id = randomBase62(12, randomBytes);
    const secret = randomBase62(43, randomBytes);
    const row = { id, user_id: userId, expires_ms: now() + lifeDays * dayMs };
    const hash = await this.#hashOf(row, secret);
    await store.transaction(async (trx) => {
      await requireEnabled(trx, userId);
      await trx.deleteFrom('invites').where('user_id', '=', userId).execute();
      await trx
        .insertInto('invites')
        .values({ ...row, hash })
        .execute();
    });
    return { invite: formatToken({ kind: tokenKinds.invite, id, secret }), expiresMs: row.expires_ms };
  }

  /**
   * For what a person who has one may do once. `spend` uses it up, in the transaction that does that: of any number at once by exactly
   * one, not where that fails, and not where the invite was ended since, by a newer one or with the account.
   * @throws SpoonError `invite-invalid`, and what `work` throws
   */
  async use(
    text: string,
    work: (userId: string, spend: (trx: Transaction<Tables>) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { id, user_id } = await this.#find(text);
    await work(user_id, async (trx) => {
      const { numDeletedRows } = await trx.deleteFrom('invites').where('id', '=', id).executeTakeFirst();
      if (numDeletedRows === 0n) throw new SpoonError('invite-invalid');
    });
  }

  async #find(text: string): Promise<InviteRow> {
    const { store, now } = this.#parts;
    const parts = parseToken(text.trim());
    if (parts?.kind !== tokenKinds.invite) throw new SpoonError('invite-invalid');
    const row = await store.db.selectFrom('invites').selectAll().where('id', '=', parts.id).executeTakeFirst();
    if (row === undefined) throw new SpoonError('invite-invalid');
    const hash = await this.#hashOf(row, parts.secret);
    const isRight = row.hash.length === hash.length && timingSafeEqual(hash, row.hash);
    if (!isRight || now() >= row.expires_ms) throw new SpoonError('invite-invalid');
    return row;
  }

  #hashOf({ id, user_id, expires_ms }: Omit<InviteRow, 'hash'>, secret: string): Promise<Uint8Array> {
    const data = lengthPrefixed(['invite', id, user_id, String(expires_ms), secret]);
    return this.#parts.keyring.mac(systemOwnerId, 'token', data);
  }
}
