import { randomBytes } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import type { KeyStatus } from '../../protocol/keys.ts';
import { onRollback, type Store } from '../store/database.ts';
import type { DataKeyRow, Tables } from '../store/tables.ts';
import { DataKey, DataKeyCache } from './dataKey.ts';
import { deriveKeyEncryptionKey, type KeyEncryptionKey, keyedHash } from './derive.ts';
import {
  type BlobContext,
  dataKeyIdBytes,
  dataKeyIdOf,
  isOfSameKey,
  keyBytes,
  lengthPrefixed,
  openBlob,
  padName,
  sealBlob,
  unpadName,
  wrapDataKey,
} from './envelope.ts';
import { destroyOldDataKeys, exchangeDataKey, unwrapRow } from './exchangeDataKey.ts';
import { matchKeys } from './keyCheck.ts';
import { keyStatus, rewrapAll } from './rewrap.ts';
import type { RootKey } from './rootKey.ts';

/**
 * Seals and opens for one owner at a time: root key, key-encryption key, one data key per owner, one key per use
 * (security.md 2.1). Keys never leave this folder, and it never tries one key after the other: a blob names its own.
 */
export interface Keyring {
  /** Once per new owner, in the transaction that makes the owner. The owner can seal from then on, inside of it too. */
  createDataKey(ownerId: string, trx: Transaction<Tables>): Promise<void>;
  /** What the owner sealed cannot be opened any more, by nobody. In a transaction that overwrites what it deletes. */
  destroyDataKeys(ownerId: string, trx: Transaction<Tables>): Promise<void>;
  /** Names and token names are padded to 32-byte steps. @throws SpoonError `key-unavailable` */
  seal(context: BlobContext, plaintext: Uint8Array): Promise<Uint8Array>;
  /** @throws SpoonError `integrity-failure`, `key-unavailable` */
  open(context: BlobContext, blob: Uint8Array): Promise<Buffer>;
  /**
   * Many at once, at less than half the price of one after the other; in their order. One that is damaged is the error in its place.
   * Does not let others run in between: the caller hands over what may block them for a moment.
   * @throws SpoonError `key-unavailable`
   */
  openEach(sealed: readonly SealedBlob[]): Promise<(Buffer | SpoonError)[]>;
  /** BLAKE2b-256 with a key of the owner's: the same bytes give the same value only for one owner and purpose. */
  mac(ownerId: string, purpose: MacPurpose, data: Uint8Array): Promise<Uint8Array>;
  /** As {@link exchangeDataKey}; nothing where the owner is gone. Those who have just sealed something may use the old one. */
  exchangeDataKey(store: Store, ownerId: string): Promise<void>;
  /** Of these, those that seal nothing any more: what is still under one cannot be opened again. */
  destroyOldDataKeys(store: Store, ids: readonly string[]): Promise<void>;
  /** Which root keys wrap how many data keys. */
  status(): Promise<Pick<KeyStatus, 'keys'>>;
  /** As {@link rewrapAll}. */
  rewrap(store: Store): Promise<number>;
  /** Erases the keys it holds. */
  close(): void;
}

export interface SealedBlob {
  readonly context: BlobContext;
  readonly blob: Uint8Array;
}

export type MacPurpose =
  | 'path'
  | 'content'
  | 'etag'
  | 'token'
  | 'sealed-use'
  | 'spoon'
  | 'thread'
  | 'audit'
  | 'audit-checkpoint'
  | 'address'
  | 'setting'
  | 'admin'
  | 'share'
  | 'oidc'
  | 'backup';

/** Owner of what belongs to no user, such as admin tokens. */
export const systemOwnerId = 'system';
const saltBytes = 16;
const paddedKinds: ReadonlySet<BlobContext['kind']> = new Set(['name', 'token']);

/**
 * Checks the key, and makes the keyring when the database is new.
 * @throws SpoonError `key-wrong`; nothing has been written then
 */
export async function openKeyring(store: Store, root: RootKey): Promise<Keyring> {
  const rows = await store.db.selectFrom('keyring').selectAll().execute();
  const sealed = await store.db
    .selectFrom('data_keys')
    .select('id')
    .unionAll((query) => query.selectFrom('users').select('id'))
    .limit(1)
    .execute();
  const { current, known } = await matchKeys({ keyring: rows, holdsSealedRows: sealed.length > 0 }, root);
  if (current !== undefined) return new StoredKeyring(store.db, current, known);

  // A new database, or the first start with a new key while an old one still opens what is there.
  const salt = randomBytes(saltBytes);
  const kek = deriveKeyEncryptionKey(await root.current.bytes(salt));
  const keyring = new StoredKeyring(store.db, kek, new Map([...known, [kek.id, kek]]));
  await store.transaction(async (trx) => {
    await trx
      .insertInto('keyring')
      .values({ id: kek.id, kcv: kek.checkValue, kdf_salt: salt, created_ms: Date.now() })
      .execute();
    if (rows.length === 0) await keyring.createDataKey(systemOwnerId, trx);
  });
  // Into the database file at once: `lookAtStore` may have to do without the log.
  await store.checkpoint();
  return keyring;
}

class StoredKeyring implements Keyring {
  readonly #db: Kysely<Tables>;
  readonly #current: KeyEncryptionKey;
  readonly #known: ReadonlyMap<string, KeyEncryptionKey>;
  readonly #cache = new DataKeyCache();
  /** Exchanged by this process. A row that was read before says that one is active, which it is not any more. */
  readonly #retired = new Set<string>();
  /** Of owners who are gone. Their rows may have been read just before, and an exchange of theirs not have come to its end. */
  readonly #destroyed = new Set<string>();

  constructor(db: Kysely<Tables>, current: KeyEncryptionKey, known: ReadonlyMap<string, KeyEncryptionKey>) {
    this.#db = db;
    this.#current = current;
    this.#known = known;
  }

  async createDataKey(ownerId: string, trx: Transaction<Tables>): Promise<void> {
    const bytes = randomBytes(keyBytes);
    const id = randomBytes(dataKeyIdBytes).toString('hex');
    await trx
      .insertInto('data_keys')
      .values({
        id,
        owner_id: ownerId,
        kek_id: this.#current.id,
        wrapped: wrapDataKey(this.#current, { ownerId, id }, bytes),
        mac_wrapped: null,
        state: 'active',
        created_ms: Date.now(),
      })
      .execute();
    this.#cache.put(new DataKey({ id, ownerId }, bytes), true);
    onRollback(trx, () => this.#cache.drop(id));
  }

  async destroyDataKeys(ownerId: string, trx: Transaction<Tables>): Promise<void> {
    const rows = await trx.deleteFrom('data_keys').where('owner_id', '=', ownerId).returning('id').execute();
    for (const { id } of rows) {
      this.#destroyed.add(id);
      this.#cache.drop(id);
      onRollback(trx, () => this.#destroyed.delete(id));
    }
  }

  async exchangeDataKey(store: Store, ownerId: string): Promise<void> {
    const keys = { current: this.#current, known: this.#known };
    const key = await exchangeDataKey(store, ownerId, keys, (oldId, trx) => {
      this.#retired.add(oldId);
      this.#cache.drop(oldId);
      onRollback(trx, () => this.#retired.delete(oldId));
    });
    if (key === undefined) return;
    if (this.#destroyed.has(key.id)) key.erase();
    else this.#cache.put(key, true);
  }

  async destroyOldDataKeys(store: Store, ids: readonly string[]): Promise<void> {
    await destroyOldDataKeys(store, ids);
    for (const id of ids) this.#cache.drop(id);
  }

  seal(context: BlobContext, plaintext: Uint8Array): Promise<Uint8Array> {
    const bytes = paddedKinds.has(context.kind) ? padName(plaintext) : plaintext;
    return this.#use(
      () => this.#activeKey(context.ownerId),
      (key) => sealBlob({ id: key.id, key: key.keyFor(context.kind) }, context, bytes),
    );
  }

  async open(context: BlobContext, blob: Uint8Array): Promise<Buffer> {
    const id = dataKeyIdOf(blob);
    return this.#use(
      () => this.#keyOf(id),
      (key) => openWith(key, { context, blob }),
    );
  }

  async openEach(sealed: readonly SealedBlob[]): Promise<(Buffer | SpoonError)[]> {
    const opened: (Buffer | SpoonError)[] = [];
    // Held from one blob to the next, as most are of one key; never across an await, where the cache may erase it.
    let key: DataKey | undefined;
    let before: Uint8Array | undefined;
    for (const one of sealed) {
      try {
        if (before === undefined || !isOfSameKey(one.blob, before)) key = this.#cache.get(dataKeyIdOf(one.blob));
        before = key === undefined ? undefined : one.blob;
        opened.push(key === undefined ? await this.open(one.context, one.blob) : openWith(key, one));
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        opened.push(error);
      }
    }
    return opened;
  }

  mac(ownerId: string, purpose: MacPurpose, data: Uint8Array): Promise<Uint8Array> {
    return this.#use(
      () => this.#activeKey(ownerId),
      (key) => keyedHash(key.macKey, lengthPrefixed([purpose]), data),
    );
  }

  status(): Promise<Pick<KeyStatus, 'keys'>> {
    return keyStatus({ db: this.#db }, { current: this.#current, known: this.#known });
  }

  rewrap(store: Store): Promise<number> {
    return rewrapAll(store, { current: this.#current, known: this.#known });
  }

  close(): void {
    this.#cache.clear();
  }

  /** Uses a key before anything else can run: the cache may erase one at any await. */
  async #use<T>(load: () => Promise<DataKey>, use: (key: DataKey) => T): Promise<T> {
    for (;;) {
      const key = await load();
      if (!key.erased) return use(key);
    }
  }

  async #activeKey(ownerId: string): Promise<DataKey> {
    const cached = this.#cache.activeOf(ownerId);
    if (cached !== undefined) return cached;
    const row = await this.#db
      .selectFrom('data_keys')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('state', '=', 'active')
      .executeTakeFirst();
    return this.#load(row);
  }

  async #keyOf(id: string): Promise<DataKey> {
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    return this.#load(await this.#db.selectFrom('data_keys').selectAll().where('id', '=', id).executeTakeFirst());
  }

  #load(row: DataKeyRow | undefined): DataKey {
    if (row === undefined || this.#destroyed.has(row.id)) throw new SpoonError('key-unavailable');
    const isActive = row.state === 'active' && !this.#retired.has(row.id);
    return this.#cache.put(unwrapRow(row, this.#known), isActive);
  }
}

function openWith(key: DataKey, { context, blob }: SealedBlob): Buffer {
  if (key.ownerId !== context.ownerId) throw new SpoonError('integrity-failure');
  const bytes = openBlob(key.keyFor(context.kind), context, blob);
  return paddedKinds.has(context.kind) ? unpadName(bytes) : bytes;
}
