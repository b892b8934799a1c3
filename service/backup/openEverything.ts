import { SpoonError } from '../../protocol/errors.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import { sealedColumns } from '../keyring/sealedColumns.ts';
import { looseDb, type SealedPlace, sealedPlacesOf } from '../keyring/sealedRows.ts';
import type { Store } from '../store/database.ts';

export interface OpenedRows {
  /** How many opened, by table and column. */
  readonly opened: Record<string, number>;
  readonly failed: number;
  /** The first that did not, by table, column and key. */
  readonly failures: string[];
}

const maxNamed = 20;

/** Opens everything that is sealed, and says what does not: proof that a database can be worked with, but for its owners. */
export async function openEverything(store: Store, keyring: Keyring): Promise<OpenedRows> {
  const opened: Record<string, number> = {};
  const seen = new Map<string, number>();
  const failures: string[] = [];
  let failed = 0;
  const fail = (what: string) => {
    failed += 1;
    if (failures.length < maxNamed) failures.push(what);
  };
  const users = await store.db.selectFrom('users').select('id').orderBy('id').execute();
  for (const ownerId of [systemOwnerId, ...users.map(({ id }) => id)]) {
    for await (const place of sealedPlacesOf(store, keyring, ownerId)) {
      const name = `${place.column.table}.${place.column.column}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (await opens(keyring, place)) opened[name] = (opened[name] ?? 0) + 1;
      else fail(`${name} of ${place.column.key.map((column) => shown(place.row[column])).join(', ')}`);
    }
  }
  for (const { table, column } of sealedColumns) {
    const all = await looseDb(store.db)
      .selectFrom(table)
      .select(({ fn }) => fn.count(column).as('count'))
      .executeTakeFirstOrThrow();
    // Of nobody who is there: no key can be asked for.
    const orphans = Number(all.count) - (seen.get(`${table}.${column}`) ?? 0);
    for (let index = 0; index < orphans; index++) fail(`${table}.${column} without an owner`);
  }
  return { opened, failed, failures };
}

async function opens(keyring: Keyring, { context, blob }: SealedPlace): Promise<boolean> {
  if (context === undefined) return false;
  try {
    await keyring.open(context, blob);
    return true;
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return false;
  }
}

function shown(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex').slice(0, 16) : String(value);
}
