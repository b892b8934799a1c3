import { SpoonError } from '../../protocol/errors.ts';
import type { Store } from '../store/database.ts';
import type { BlobContext } from './envelope.ts';
import { type Keyring, systemOwnerId } from './keyring.ts';
import {
  keysOf,
  type LooseDb,
  rowOf,
  type SealedColumn,
  type SealedUses,
  sealedColumns,
  usesNamedIn,
} from './sealedColumns.ts';

/** One sealed value where it lies. */
export interface SealedPlace {
  readonly column: SealedColumn;
  readonly row: Readonly<Record<string, unknown>>;
  readonly blob: Uint8Array;
  /** Undefined: nothing says what it was bound to. */
  readonly context: BlobContext | undefined;
}

/** For queries by names of tables and columns that are not known here. */
export function looseDb(db: Store['db']): LooseDb {
  return db as unknown as LooseDb;
}

/** Everything sealed of one owner, row by row. What is written meanwhile may or may not be among it. */
export async function* sealedPlacesOf(
  { db }: Pick<Store, 'db'>,
  keyring: Pick<Keyring, 'open' | 'mac'>,
  ownerId: string,
): AsyncGenerator<SealedPlace> {
  const loose = looseDb(db);
  const uses = await usesOf(loose, keyring, ownerId);
  for (const column of sealedColumns) {
    for await (const key of keysOf(loose, column, ownerId, systemOwnerId)) {
      const row = await rowOf(loose, column, key);
      const blob = row?.[column.column];
      if (row === undefined || !(blob instanceof Uint8Array)) continue;
      const bound = column.context(row, uses);
      yield { column, row, blob, context: bound === undefined ? undefined : { ownerId, ...bound } };
    }
  }
}

/** What the sealed values of one owner are for. A name that does not open is left out: what it is for is then not known. */
export async function usesOf(
  db: LooseDb,
  keyring: Pick<Keyring, 'open' | 'mac'>,
  ownerId: string,
): Promise<SealedUses> {
  const openAll = async (table: string, name: string): Promise<Uint8Array[]> => {
    const column = sealedColumns.find((one) => one.table === table && one.column === name);
    if (column === undefined) throw new Error(`${table}.${name} is no sealed column.`);
    const opened: Uint8Array[] = [];
    for await (const key of keysOf(db, column, ownerId, systemOwnerId)) {
      const row = await rowOf(db, column, key);
      const bound = row && column.context(row, new Map());
      if (row === undefined || bound === undefined) continue;
      try {
        opened.push(await keyring.open({ ownerId, ...bound }, row[name] as Uint8Array));
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
      }
    }
    return opened;
  };
  const heads = await openAll('secrets', 'head_enc');
  const [settings] = await openAll('environments', 'settings_enc');
  const uses = usesNamedIn(heads, settings);
  const named = uses.map(async (use) => {
    const mac = await keyring.mac(ownerId, 'sealed-use', Buffer.from(use));
    return [Buffer.from(mac).toString('hex'), use] as const;
  });
  return new Map(await Promise.all(named));
}
