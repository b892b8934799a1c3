import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import { formatToken, parseToken, randomBase62, tokenKinds } from '../../protocol/tokenFormat.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { InviteRow } from '../store/tables.ts';
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
   * Uses it up, of any number at once by exactly one; if `work` then fails, such as for a password that is refused, the invite
   * is as it was.
   * @throws SpoonError `invite-invalid`, and what `work` throws
   */
  async use(text: string, work: (userId: string) => Promise<void>): Promise<void> {
    const { db } = this.#parts.store;
    const row = await this.#find(text);
    const deleted = await db.deleteFrom('invites').where('id', '=', row.id).executeTakeFirst();
    if (deleted.numDeletedRows === 0n) throw new SpoonError('invite-invalid');
    try {
      await work(row.user_id);
    } catch (error) {
      await this.#putBack(row);
      throw error;
    }
  }

  /** Not where the user was disabled meanwhile. */
  async #putBack(row: InviteRow): Promise<void> {
    await this.#parts.store.transaction(async (trx) => {
      const enabled = trx
        .selectFrom('users')
        .select('id')
        .where('id', '=', row.user_id)
        .where('disabled_ms', 'is', null);
      if ((await enabled.executeTakeFirst()) === undefined) return;
      await trx
        .insertInto('invites')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
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
