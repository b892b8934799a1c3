import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Kysely } from 'kysely';
import { openStore } from '../../service/store/database.ts';
import { migrate, migrations } from '../../service/store/migrate.ts';
import { SqliteDriver, sqliteDialect } from '../../service/store/sqliteDialect.ts';
import type { Tables } from '../../service/store/tables.ts';

const fixture = fileURLToPath(new URL('../fixtures/killedMigration.fixture.ts', import.meta.url));
const rowsPerTable = 3;
type Contents = Record<string, Record<string, unknown>[]>;

/** A value of the declared type that no other row has. */
function sampleOf(type: string, row: number): string | number | Uint8Array {
  if (type === 'text') return `text ${row}`;
  return type === 'bytea' ? Uint8Array.of(0, row, 255) : row;
}

/** Every table but the list of migrations. */
function columnsOf(database: DatabaseSync): Map<string, { name: string; type: string }[]> {
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migrations'").all();
  return new Map(
    tables.map(({ name }) => [
      String(name),
      database
        .prepare(`PRAGMA table_info("${name}")`)
        .all()
        .map((column) => ({ name: String(column.name), type: String(column.type) })),
    ]),
  );
}

function fill(file: string): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  database.exec('PRAGMA ignore_check_constraints = ON');
  for (const [table, columns] of columnsOf(database)) {
    const insert = database.prepare(`INSERT INTO "${table}" VALUES (${columns.map(() => '?').join(', ')})`);
    for (let row = 1; row <= rowsPerTable; row++) insert.run(...columns.map(({ type }) => sampleOf(type, row)));
  }
  database.close();
}

/** What is in these tables and columns. */
function read(file: string, of: Map<string, { name: string }[]>): Contents {
  const database = new DatabaseSync(file, { readOnly: true });
  const contents: Contents = {};
  for (const [table, columns] of of) {
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const where = table === 'facts' ? "WHERE name <> 'instance-id'" : '';
    contents[table] = database.prepare(`SELECT ${names} FROM "${table}" ${where} ORDER BY 1`).all();
  }
  database.close();
  return contents;
}

function appliedTo(file: string): unknown[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const numbers = database
    .prepare('SELECT number FROM migrations ORDER BY number')
    .all()
    .map(({ number }) => number);
  database.close();
  return numbers;
}

describe('an upgrade of the schema', { timeout: 300_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-upgrade-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const numbers = migrations.map(({ number }) => number);

  /** A database as the Spoon left it whose newest migration this was, with something in every table. */
  async function madeBy(count: number): Promise<string> {
    const file = join(folder, `${count}.db`);
    const driver = new SqliteDriver(new DatabaseSync(file), new DatabaseSync(file, { readOnly: true }));
    const db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
    await migrate(db, (work) => db.transaction().execute(work), migrations.slice(0, count));
    await db.destroy();
    fill(file);
    return file;
  }

  for (const [index, { number, name }] of migrations.entries()) {
    if (index === 0) continue;
    it(`from before ${number} (${name}), killed in it, loses nothing and is made at the next start`, async () => {
      const file = await madeBy(index);
      const database = new DatabaseSync(file);
      const columns = columnsOf(database);
      database.close();
      const contents = read(file, columns);
      assert.ok(Object.values(contents).every((rows) => rows.length === rowsPerTable));
      const { signal, stderr } = spawnSync(process.execPath, [fixture, file], { encoding: 'utf8' });
      assert.equal(signal, 'SIGKILL', stderr);
      assert.deepEqual(appliedTo(file), numbers.slice(0, index));
      assert.deepEqual(read(file, columns), contents);
      const store = await openStore(file);
      await store.close();
      assert.deepEqual(appliedTo(file), numbers);
      assert.deepEqual(read(file, columns), contents);
    });
  }
});
