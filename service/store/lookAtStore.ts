import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { SpoonError } from '../../protocol/errors.ts';
import { asStoreError } from './storeErrors.ts';
import type { KeyringRow } from './tables.ts';

/** What a database says about itself before anything of it is changed. */
export interface StoreLook {
  /** Number of the last migration; 0 for a new database. */
  readonly schema: number;
  readonly keyring: readonly KeyringRow[];
  /** There are rows that only a key can open. */
  readonly holdsSealedRows: boolean;
}

const nothing: StoreLook = { schema: 0, keyring: [], holdsSealedRows: false };

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/**
 * Reads without leaving a trace, so that a wrong key or a newer schema changes not one byte. An ordinary read-only
 * connection would make `-wal` and `-shm` files, or mark its locks in them.
 * - No log: `immutable=1`, SQLite opens the one file and locks nothing (https://sqlite.org/uri.html).
 * - A log after a crash: `readonly_shm=1`, SQLite reads the log into memory of its own (`walBeginShmUnreliable` in wal.c).
 * - A log without its index, as in a copy: the log is left out. What it may hold of the keyring is checked again by
 *   `openKeyring`; every change of schema or keyring is checkpointed at once, so it holds nothing of them but in a crash.
 * @throws SpoonError `config-invalid` when the file is a database of something else, `integrity-failure` when it is none
 */
export async function lookAtStore(file: string): Promise<StoreLook> {
  if ((await sizeOf(file)) === 0) return nothing;
  const hasLog = (await sizeOf(`${file}-wal`)) > 0;
  const hasIndex = (await sizeOf(`${file}-shm`)) > 0;
  const location = pathToFileURL(file);
  location.search = hasLog && hasIndex ? '?mode=ro&readonly_shm=1' : '?mode=ro&immutable=1';
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(location, { readOnly: true });
    return read(database);
  } catch (error) {
    throw asStoreError(error);
  } finally {
    database?.close();
  }
}

function read(database: DatabaseSync): StoreLook {
  const tables = new Set(
    database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()
      .map(({ name }) => String(name)),
  );
  if (tables.size === 0) return nothing;
  if (!tables.has('migrations') || !tables.has('keyring')) {
    throw new SpoonError('config-invalid', 'The database file belongs to another program. Name another file.');
  }
  const newest = database.prepare('SELECT max(number) AS number FROM migrations').get();
  const keyring = database.prepare('SELECT id, kcv, kdf_salt, created_ms FROM keyring').all();
  const sealed = database.prepare('SELECT 1 FROM data_keys UNION ALL SELECT 1 FROM users LIMIT 1').get();
  return {
    schema: Number(newest?.number ?? 0),
    keyring: keyring as unknown as KeyringRow[],
    holdsSealedRows: sealed !== undefined,
  };
}
