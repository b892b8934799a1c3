import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import type { Store } from '../store/database.ts';
import type { DataKeyRow, Tables } from '../store/tables.ts';
import { DataKey, macKeyOf } from './dataKey.ts';
import { dataKeyIdBytes, kekIdOf, keyBytes, unwrapDataKey, wrapDataKey } from './envelope.ts';
import type { RewrapKeys } from './rewrap.ts';

/** The key of a row, and the one of its owner's hashes. @throws SpoonError `key-unavailable`, `integrity-failure` */
export function unwrapRow(row: DataKeyRow, known: RewrapKeys['known']): DataKey {
  const name = { id: row.id, ownerId: row.owner_id };
  const bytes = unwrap(known, name, row.wrapped);
  if (row.mac_wrapped === null) return new DataKey(name, bytes);
  return new DataKey(name, bytes, unwrap(known, { ...name, isMacKey: true }, row.mac_wrapped));
}

function unwrap(known: RewrapKeys['known'], name: Parameters<typeof unwrapDataKey>[1], wrapped: Uint8Array): Buffer {
  const kek = known.get(kekIdOf(wrapped));
  if (kek === undefined) throw new SpoonError('key-unavailable');
  return unwrapDataKey(kek.key, name, wrapped);
}

/**
 * From now on the owner seals with a new key; the one before only opens. The key of hashes goes with the new one: it finds
 * what is stored, and is in what clients hold (docs/decisions/0194).
 * @param onExchange in the transaction, before it is committed: from then on nobody is to take the old key for the active one
 * @returns undefined where the owner has no key any more
 */
export async function exchangeDataKey(
  store: Store,
  ownerId: string,
  { current, known }: RewrapKeys,
  onExchange: (oldId: string, trx: Transaction<Tables>) => void,
): Promise<DataKey | undefined> {
  const id = randomBytes(dataKeyIdBytes).toString('hex');
  const name = { id, ownerId };
  return store.transaction(async (trx) => {
    const row = await trx
      .selectFrom('data_keys')
      .selectAll()
      .where('owner_id', '=', ownerId)
      .where('state', '=', 'active')
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const old = { id: row.id, ownerId };
    const mac =
      row.mac_wrapped === null
        ? macKeyOf(unwrap(known, old, row.wrapped))
        : unwrap(known, { ...old, isMacKey: true }, row.mac_wrapped);
    const bytes = randomBytes(keyBytes);
    await trx.updateTable('data_keys').set({ state: 'decrypt-only' }).where('id', '=', row.id).execute();
    await trx
      .insertInto('data_keys')
      .values({
        id,
        owner_id: ownerId,
        kek_id: current.id,
        wrapped: wrapDataKey(current, name, bytes),
        mac_wrapped: wrapDataKey(current, { ...name, isMacKey: true }, mac),
        state: 'active',
        created_ms: Date.now(),
      })
      .execute();
    onExchange(row.id, trx);
    return new DataKey(name, bytes, mac);
  });
}

/** Overwrites them in the database. An active one stays. */
export async function destroyOldDataKeys(store: Store, ids: readonly string[]): Promise<void> {
  await store.eraseIn((trx) =>
    trx.deleteFrom('data_keys').where('id', 'in', ids).where('state', '=', 'decrypt-only').execute(),
  );
}
