import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { readSealed, type SealedUse, sealedLength, unpackSealed } from '../../protocol/sealedBox.ts';
import type { SealKey } from '../../protocol/sealKeys.ts';
import type { Keyring } from '../keyring/keyring.ts';
import { makeSealKeyPair, openSealedBox, type SealKeyPair, sealBox, sealKeyPair } from '../keyring/sealedBox.ts';
import { looseDb, usesOf } from '../keyring/sealedRows.ts';
import type { Store } from '../store/database.ts';
import type { SealedValueRow, SealKeyRow, Tables } from '../store/tables.ts';

export interface SealedValuesParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
}

/** A box that has been looked into and is fit to be kept. */
export interface CheckedBox {
  readonly userId: string;
  readonly use: SealedUse;
  readonly keyId: string;
  readonly box: Uint8Array;
}

export interface CheckOptions {
  readonly maxBytes: number;
  /** May refuse the value. Must not keep it: it is overwritten afterwards. */
  readonly inspect?: (value: Uint8Array) => void;
}

/**
 * Values that a client sealed for one user and one use. They are kept as they came, sealed once more with the user's data key,
 * and opened when they are used; nothing here or above hands one to a client (`security.md` 2.4).
 */
export class SealedValues {
  readonly #parts: SealedValuesParts;

  constructor(parts: SealedValuesParts) {
    this.#parts = parts;
  }

  /** What clients seal with. Made when somebody first asks. */
  async key(userId: string): Promise<SealKey> {
    const { db, transaction } = this.#parts.store;
    const active = (await this.#activeRow(db, userId)) ?? (await transaction((trx) => this.#ensureActive(trx, userId)));
    return toSealKey(await this.#pair(active));
  }

  /** From now on clients seal with another one. The old ones stay for as long as a stored value needs them. */
  async rotateKey(userId: string): Promise<SealKey> {
    const row = await this.#parts.store.transaction(async (trx) => {
      await trx.updateTable('seal_keys').set({ state: 'open-only' }).where('user_id', '=', userId).execute();
      await this.#dropUnused(trx, userId);
      return this.#ensureActive(trx, userId);
    });
    return toSealKey(await this.#pair(row));
  }

  /**
   * As {@link rotateKey}, and seals what is stored for the new key, so that the old one is destroyed. A value that does not open
   * stays as it is, and keeps its key.
   * @param olderThanMs a key that was made later is left alone
   * @returns how many values were sealed anew, and how many not; undefined where nothing was done
   */
  async renewKey(userId: string, olderThanMs: number): Promise<{ sealed: number; unopened: number } | undefined> {
    const { store, keyring } = this.#parts;
    return store.eraseIn(async (trx) => {
      const before = await this.#activeRow(trx, userId);
      if (before === undefined || before.created_ms > olderThanMs) return undefined;
      await trx.updateTable('seal_keys').set({ state: 'open-only' }).where('user_id', '=', userId).execute();
      const row = await this.#ensureActive(trx, userId);
      const pair = await this.#pair(row);
      pair.privateKey.fill(0);
      const uses = await usesOf(looseDb(trx), keyring, userId);
      const values = await trx.selectFrom('sealed_values').selectAll().where('user_id', '=', userId).execute();
      const done = { sealed: 0, unopened: 0 };
      for (const value of values) {
        const use = uses.get(Buffer.from(value.use_mac).toString('hex'));
        const box_enc = use && (await this.#sealAnew(trx, value, use, pair));
        if (box_enc === undefined) {
          done.unopened += 1;
          continue;
        }
        done.sealed += 1;
        await trx
          .updateTable('sealed_values')
          .set({ box_enc, seal_key_id: row.id })
          .where('user_id', '=', userId)
          .where('use_mac', '=', value.use_mac)
          .execute();
      }
      await this.#dropUnused(trx, userId);
      return done;
    });
  }

  async #sealAnew(
    db: Store['db'],
    { user_id, box_enc }: SealedValueRow,
    use: SealedUse,
    pair: SealKeyPair,
  ): Promise<Uint8Array | undefined> {
    const { keyring } = this.#parts;
    try {
      const box = await keyring.open(context(user_id, use), box_enc);
      const row = await this.#row(db, user_id, readSealed(box).keyId);
      if (row === undefined) return undefined;
      const content = await this.#openBox(row, box);
      const sealed = sealBox(pair, content);
      content.fill(0);
      return await keyring.seal(context(user_id, use), sealed);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      return undefined;
    }
  }

  /**
   * Opens the box once, to refuse at once what could not be used later.
   * @throws SpoonError `seal-invalid`; `seal-key-stale` with the current key; `body-too-large`; what `inspect` throws
   */
  async check(userId: string, use: SealedUse, box: Uint8Array, options: CheckOptions): Promise<CheckedBox> {
    if (box.length > sealedLength(use, options.maxBytes)) throw new SpoonError('body-too-large');
    const { keyId } = readSealed(box);
    const row = await this.#row(this.#parts.store.db, userId, keyId);
    if (row === undefined) throw new SpoonError('seal-invalid', 'It names a key that is not yours.');
    if (row.state !== 'active') throw stale(await this.key(userId));
    const content = await this.#openBox(row, box);
    try {
      const value = unpackSealed(content, use);
      options.inspect?.(value);
    } finally {
      content.fill(0);
    }
    return { userId, use, keyId, box };
  }

  /** Replaces what was there for the same use. @throws SpoonError `seal-key-stale` when the key was changed since the check */
  async write(trx: Transaction<Tables>, { userId, use, keyId, box }: CheckedBox): Promise<void> {
    const active = await this.#ensureActive(trx, userId);
    if (active.id !== keyId) throw stale(toSealKey(await this.#pair(active)));
    const use_mac = await this.#macOf(userId, use);
    const value = {
      seal_key_id: keyId,
      updated_ms: this.#parts.now(),
      box_enc: await this.#parts.keyring.seal(context(userId, use), box),
    };
    await trx
      .insertInto('sealed_values')
      .values({ user_id: userId, use_mac, ...value })
      .onConflict((conflict) => conflict.columns(['user_id', 'use_mac']).doUpdateSet(value))
      .execute();
    await this.#dropUnused(trx, userId);
  }

  async remove(trx: Transaction<Tables>, userId: string, use: SealedUse): Promise<void> {
    const mac = await this.#macOf(userId, use);
    await trx.deleteFrom('sealed_values').where('user_id', '=', userId).where('use_mac', '=', mac).execute();
    await this.#dropUnused(trx, userId);
  }

  /**
   * For the one who uses it, who overwrites it afterwards. Undefined: there is none.
   * @param db a transaction where it must be of the same time as something else
   * @throws SpoonError `integrity-failure`
   */
  async open(userId: string, use: SealedUse, db = this.#parts.store.db): Promise<Uint8Array | undefined> {
    const { keyring } = this.#parts;
    let row: SealKeyRow | undefined;
    let box: Uint8Array | undefined;
    for (let before: Uint8Array | undefined; row === undefined || box === undefined; before = box) {
      const stored = await db
        .selectFrom('sealed_values')
        .selectAll()
        .where('user_id', '=', userId)
        .where('use_mac', '=', await this.#macOf(userId, use))
        .executeTakeFirst();
      if (stored === undefined) return undefined;
      box = await keyring.open(context(userId, use), stored.box_enc);
      row = await this.#row(db, userId, readSealed(box).keyId);
      // Another box than a moment ago: it was sealed anew between the two looks, and its old key destroyed.
      if (row === undefined && before !== undefined && Buffer.from(before).equals(box)) {
        throw new SpoonError('key-unavailable');
      }
    }
    const content = await this.#openBox(row, box);
    const value = unpackSealed(content, use).slice();
    content.fill(0);
    return value;
  }

  async #openBox(row: SealKeyRow, box: Uint8Array): Promise<Uint8Array> {
    const pair = await this.#pair(row);
    try {
      return openSealedBox(pair, readSealed(box).sealed);
    } finally {
      pair.privateKey.fill(0);
    }
  }

  async #pair({ user_id, id, private_enc }: SealKeyRow): Promise<SealKeyPair> {
    const pair = await sealKeyPair(await this.#parts.keyring.open(keyContext(user_id, id), private_enc));
    if (pair.id !== id) throw new SpoonError('integrity-failure');
    return pair;
  }

  async #ensureActive(trx: Transaction<Tables>, userId: string): Promise<SealKeyRow> {
    const found = await this.#activeRow(trx, userId);
    if (found !== undefined) return found;
    const { id, privateKey } = await makeSealKeyPair();
    const row: SealKeyRow = {
      user_id: userId,
      id,
      private_enc: await this.#parts.keyring.seal(keyContext(userId, id), privateKey),
      state: 'active',
      created_ms: this.#parts.now(),
    };
    privateKey.fill(0);
    await trx.insertInto('seal_keys').values(row).execute();
    return row;
  }

  #activeRow(db: Store['db'], userId: string): Promise<SealKeyRow | undefined> {
    const ofUser = db.selectFrom('seal_keys').selectAll().where('user_id', '=', userId);
    return ofUser.where('state', '=', 'active').executeTakeFirst();
  }

  #row(db: Store['db'], userId: string, keyId: string): Promise<SealKeyRow | undefined> {
    return db
      .selectFrom('seal_keys')
      .selectAll()
      .where('user_id', '=', userId)
      .where('id', '=', keyId)
      .executeTakeFirst();
  }

  async #dropUnused(trx: Transaction<Tables>, userId: string): Promise<void> {
    await trx
      .deleteFrom('seal_keys')
      .where('user_id', '=', userId)
      .where('state', '=', 'open-only')
      .where('id', 'not in', (query) =>
        query.selectFrom('sealed_values').select('seal_key_id').where('user_id', '=', userId),
      )
      .execute();
  }

  #macOf(userId: string, use: SealedUse): Promise<Uint8Array> {
    return this.#parts.keyring.mac(userId, 'sealed-use', Buffer.from(use));
  }
}

function stale(current: SealKey): SpoonError {
  return new SpoonError('seal-key-stale', undefined, { extra: { ...current } });
}

function context(ownerId: string, use: SealedUse) {
  return { ownerId, kind: 'secret', objectId: use, version: 0, mode: 0 } as const;
}

function keyContext(ownerId: string, keyId: string) {
  return { ownerId, kind: 'secret', objectId: `seal-key/${keyId}`, version: 0, mode: 0 } as const;
}

function toSealKey({ id, publicKey }: SealKeyPair): SealKey {
  return { keyId: id, publicKey: Buffer.from(publicKey).toString('base64') };
}
