import { SpoonError } from '../../protocol/errors.ts';
import type { KeyStatus } from '../../protocol/keys.ts';
import type { Store } from '../store/database.ts';
import type { DataKeyRow } from '../store/tables.ts';
import type { KeyEncryptionKey } from './derive.ts';
import { type DataKeyName, kekIdOf, unwrapDataKey, wrapDataKey } from './envelope.ts';

/** Moving all data keys from former root keys to the current one. Contents are not touched: only what they are sealed with. */

/** So many in one transaction: each is durable on its own, and a thousand users do not cost a thousand of them. */
const rowsAtOnce = 500;

export interface RewrapKeys {
  readonly current: KeyEncryptionKey;
  readonly known: ReadonlyMap<string, KeyEncryptionKey>;
}

export async function keyStatus(
  { db }: Pick<Store, 'db'>,
  { current, known }: RewrapKeys,
): Promise<Pick<KeyStatus, 'keys'>> {
  const counted = await db
    .selectFrom('data_keys')
    .select(({ fn }) => ['kek_id', fn.countAll().as('count')] as const)
    .groupBy('kek_id')
    .execute();
  const rows = await db.selectFrom('keyring').select(['id', 'created_ms']).orderBy('created_ms').execute();
  return {
    keys: rows.map(({ id, created_ms }) => ({
      id,
      createdMs: created_ms,
      isCurrent: id === current.id,
      isAvailable: known.has(id),
      dataKeys: Number(counted.find(({ kek_id }) => kek_id === id)?.count ?? 0),
    })),
  };
}

/**
 * Wraps every data key with the current root key, and forgets the root keys that wrap none any more. Goes on where an earlier
 * one was ended; the service may be in use meanwhile.
 * @returns how many it wrapped
 * @throws SpoonError `key-unavailable` when one is wrapped by a root key that was not given: the others are done
 */
export async function rewrapAll(store: Store, { current, known }: RewrapKeys): Promise<number> {
  let wrapped = 0;
  let missing: string | undefined;
  for (let after = ''; ; ) {
    const rows = await store.db
      .selectFrom('data_keys')
      .selectAll()
      .where('kek_id', '!=', current.id)
      .where('id', '>', after)
      .orderBy('id')
      .limit(rowsAtOnce)
      .execute();
    if (rows.length === 0) break;
    await store.transaction(async (trx) => {
      for (const row of rows) {
        const next = rewrap(row, { current, known });
        if (next === undefined) {
          missing ??= row.kek_id;
          continue;
        }
        // Gone meanwhile with its user, or wrapped by somebody else: both are fine.
        const result = await trx
          .updateTable('data_keys')
          .set({ ...next, kek_id: current.id })
          .where('id', '=', row.id)
          .where('kek_id', '=', row.kek_id)
          .executeTakeFirst();
        wrapped += Number(result.numUpdatedRows);
      }
    });
    after = rows.at(-1)?.id ?? after;
  }
  await store.transaction(async (trx) => {
    const used = trx.selectFrom('data_keys').select('kek_id');
    await trx.deleteFrom('keyring').where('id', '!=', current.id).where('id', 'not in', used).execute();
  });
  // Into the database file at once: `lookAtStore` may have to do without the log.
  await store.checkpoint();
  if (missing !== undefined) {
    throw new SpoonError(
      'key-unavailable',
      `Name the root key ${missing} in SPOON_ENCRYPTION_KEYS_OLD and run it again.`,
    );
  }
  return wrapped;
}

function rewrap(row: DataKeyRow, keys: RewrapKeys): Pick<DataKeyRow, 'wrapped' | 'mac_wrapped'> | undefined {
  const name = { id: row.id, ownerId: row.owner_id };
  const wrapped = wrapAnew(name, row.wrapped, keys);
  if (row.mac_wrapped === null || wrapped === undefined) return wrapped && { wrapped, mac_wrapped: null };
  const mac_wrapped = wrapAnew({ ...name, isMacKey: true }, row.mac_wrapped, keys);
  return mac_wrapped && { wrapped, mac_wrapped };
}

function wrapAnew(name: DataKeyName, wrapped: Uint8Array, { current, known }: RewrapKeys): Buffer | undefined {
  const kek = known.get(kekIdOf(wrapped));
  if (kek === undefined) return undefined;
  const bytes = unwrapDataKey(kek.key, name, wrapped);
  try {
    return wrapDataKey(current, name, bytes);
  } finally {
    bytes.fill(0);
  }
}
