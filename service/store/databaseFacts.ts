import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { asStoreError } from './storeErrors.ts';

/** What a database file that nobody writes to says about itself, as a manifest of a backup has it. */
export interface DatabaseFacts {
  readonly schema: number;
  readonly instanceId: string;
  /** Ids of the root keys. */
  readonly keys: string[];
  readonly rows: Record<string, number>;
}

/**
 * Reads all of it; blocks as long as that takes.
 * @throws SpoonError `integrity-failure` when it is damaged: SQLite's own check has found something
 */
export function databaseFacts(file: string): DatabaseFacts {
  const location = pathToFileURL(file);
  location.search = '?mode=ro&immutable=1';
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(location, { readOnly: true });
    const fault = faultOf(database);
    if (fault !== undefined) throw Object.assign(new Error(fault), { errcode: corrupt });
    return read(database);
  } catch (error) {
    throw asStoreError(error);
  } finally {
    database?.close();
  }
}

const corrupt = 11;

/** What SQLite finds wrong, the first of it; undefined: nothing. */
export function faultOf(database: DatabaseSync, check: 'integrity_check' | 'quick_check' = 'integrity_check') {
  const found = Object.values(database.prepare(`PRAGMA ${check}(1)`).get() ?? {})[0];
  return found === 'ok' ? undefined : String(found);
}

function read(database: DatabaseSync): DatabaseFacts {
  const texts = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  const count = (table: string) => database.prepare(`SELECT count(*) AS count FROM "${table}"`).get()?.count;
  const tables = texts(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  return {
    schema: Number(texts('SELECT max(number) FROM migrations')[0]),
    instanceId: texts("SELECT value FROM facts WHERE name = 'instance-id'")[0] ?? '',
    keys: texts('SELECT id FROM keyring ORDER BY id'),
    rows: Object.fromEntries(tables.map((table) => [table, Number(count(table))])),
  };
}

/** SHA-256 in hex, and the length. */
export async function fileDigest(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') };
}
