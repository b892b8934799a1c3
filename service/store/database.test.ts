import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { Kysely, sql } from 'kysely';
import { onRollback, openStore, readInstanceId, type Store } from './database.ts';
import { type Migration, migrate, migrations } from './migrate.ts';
import { SqliteDriver, sqliteDialect } from './sqliteDialect.ts';
import type { Tables } from './tables.ts';

let dir: string;
let serial = 0;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'spoon-store-'));
});
after(() => rm(dir, { recursive: true }));

const newFile = () => join(dir, `${++serial}.db`);
const fact = (name: string, value = 'v') => ({ name, value });

async function factNames({ db }: Pick<Store, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('facts').select('name').where('name', '<>', 'instance-id').orderBy('name').execute();
  return rows.map(({ name }) => name);
}

/** What no event tells. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

describe('openStore', () => {
  it('makes a database that only its owner can read, log included', async () => {
    const file = newFile();
    const store = await openStore(file);
    for (const suffix of ['', '-wal', '-shm']) {
      assert.equal((await stat(file + suffix)).mode & 0o777, 0o600, suffix);
    }
    await store.close();
  });

  it('finds what was committed, and its instance id, at the next start', async () => {
    const file = newFile();
    const first = await openStore(file);
    const id = await readInstanceId(first);
    assert.match(id, /^[0-9a-f]{12}$/);
    await first.db.insertInto('facts').values(fact('kept')).execute();
    await first.close();
    const second = await openStore(file);
    assert.equal(await readInstanceId(second), id);
    assert.deepEqual(await factNames(second), ['kept']);
    await second.close();
  });

  it('writes nothing before it has been allowed to', async () => {
    const file = newFile();
    await assert.rejects(
      openStore(file, (look) => {
        assert.deepEqual(look, { schema: 0, keyring: [], holdsSealedRows: false });
        throw new Error('no');
      }),
      /^Error: no$/,
    );
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });

  it('refuses a file that is no database, and one of another program', async () => {
    const noise = newFile();
    await writeFile(noise, 'not a database, but long enough to be looked at as one'.repeat(100));
    await assert.rejects(openStore(noise), { code: 'integrity-failure' });
    const foreign = newFile();
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE bookmarks (url TEXT)');
    other.close();
    await assert.rejects(openStore(foreign), { code: 'config-invalid' });
  });

  it('gives rows their own names after the table has become another', async () => {
    const store = await openStore(newFile());
    const all = sql<Record<string, unknown>>`SELECT * FROM changing`;
    const inTransaction = () => store.transaction((trx) => all.execute(trx));
    await sql`CREATE TABLE changing (a, b)`.execute(store.db);
    await sql`INSERT INTO changing VALUES (1, 2)`.execute(store.db);
    await inTransaction();
    await sql`ALTER TABLE changing ADD COLUMN c DEFAULT 3`.execute(store.db);
    assert.deepEqual((await inTransaction()).rows, [{ a: 1, b: 2, c: 3 }]);
    await sql`ALTER TABLE changing DROP COLUMN a`.execute(store.db);
    await sql`ALTER TABLE changing ADD COLUMN d DEFAULT 4`.execute(store.db);
    assert.deepEqual((await inTransaction()).rows, [{ b: 2, c: 3, d: 4 }]);
    await store.close();
  });

  it('is safe by its settings: write-ahead log, synced before each checkpoint, references enforced', async () => {
    const store = await openStore(newFile());
    await store.transaction(async (trx) => {
      const pragma = async (name: string) => {
        const { rows } = await sql.raw<Record<string, unknown>>(`PRAGMA ${name}`).execute(trx);
        return Object.values(rows[0] ?? {})[0];
      };
      assert.equal(await pragma('journal_mode'), 'wal');
      assert.equal(await pragma('synchronous'), 1);
      assert.equal(await pragma('foreign_keys'), 1);
    });
    await store.close();
  });

  it('tells of a write only once its log is on the disk, whether in a transaction or not', async (t) => {
    const file = newFile();
    const store = await openStore(file);
    const handle = await open(file, 'r');
    const syncs: PromiseWithResolvers<void>[] = [];
    t.mock.method(Object.getPrototypeOf(handle), 'datasync', () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    });
    await handle.close();
    const writes = [
      () => store.transaction((trx) => trx.insertInto('facts').values(fact('one')).execute()),
      () => store.db.insertInto('facts').values(fact('two')).execute(),
    ];
    for (const [index, write] of writes.entries()) {
      let isTold = false;
      const told = write().then(() => {
        isTold = true;
      });
      while (syncs.length === index) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isTold, false);
      syncs[index]?.resolve();
      await told;
    }
    await store.close();
  });
});

describe('transactions', () => {
  it('are all or nothing, and undo what was kept in memory on the strength of them', async () => {
    const store = await openStore(newFile());
    const undone: string[] = [];
    await assert.rejects(
      store.transaction(async (trx) => {
        onRollback(trx, () => undone.push('rolled back'));
        await trx.insertInto('facts').values(fact('lost')).execute();
        throw new Error('on purpose');
      }),
      /on purpose/,
    );
    await store.transaction(async (trx) => {
      onRollback(trx, () => undone.push('committed'));
      await trx.insertInto('facts').values(fact('kept')).execute();
    });
    assert.deepEqual(await factNames(store), ['kept']);
    assert.deepEqual(undone, ['rolled back']);
    await store.close();
  });

  it('run one after the other, in the order of asking', async () => {
    const store = await openStore(newFile());
    await store.db.insertInto('facts').values(fact('count', '0')).execute();
    await Promise.all(
      Array.from({ length: 50 }, () =>
        store.transaction(async (trx) => {
          const { value } = await trx
            .selectFrom('facts')
            .select('value')
            .where('name', '=', 'count')
            .executeTakeFirstOrThrow();
          await new Promise((resolve) => setImmediate(resolve));
          await trx
            .updateTable('facts')
            .set({ value: String(Number(value) + 1) })
            .where('name', '=', 'count')
            .execute();
        }),
      ),
    );
    const { value } = await store.db
      .selectFrom('facts')
      .select('value')
      .where('name', '=', 'count')
      .executeTakeFirstOrThrow();
    assert.equal(value, '50');
    await store.close();
  });

  it('let readers see what is committed, without waiting, also from inside', async () => {
    const store = await openStore(newFile());
    await store.transaction(async (trx) => {
      await trx.insertInto('facts').values(fact('new')).execute();
      assert.deepEqual(await factNames(store), []);
      assert.deepEqual(await factNames({ db: trx }), ['new']);
    });
    assert.deepEqual(await factNames(store), ['new']);
    await store.close();
  });

  it('name the mistake when something inside of one writes past it, where it would wait for itself for ever', async () => {
    const store = await openStore(newFile());
    await assert.rejects(
      store.transaction(() => store.db.insertInto('facts').values(fact('x')).execute()),
      /must go through that transaction/,
    );
    await assert.rejects(
      store.transaction(() => store.transaction(async () => undefined)),
      /must go through that transaction/,
    );
    await store.db.insertInto('facts').values(fact('later')).execute();
    assert.deepEqual(await factNames(store), ['later']);
    await store.close();
  });
});

describe('the schema', () => {
  it('lets a path be taken again once its file is deleted, and not before', async () => {
    const store = await openStore(newFile());
    const bytes = new Uint8Array([1]);
    const user = {
      id: 'u',
      username: 'ada',
      display_name_enc: bytes,
      uid: 1,
      shell: '/bin/sh',
      created_ms: 1,
      disabled_ms: null,
    };
    await store.db.insertInto('users').values(user).execute();
    const row = (id: string, deleted_ms: number | null) => ({
      ...{ id, user_id: 'u', path_mac: bytes, path_enc: bytes, kind: 'file' as const, mode: 0o644, size: 0 },
      ...{ version: 1, last_version: 1, content_mac: bytes, created_ms: 1, modified_ms: 1, deleted_ms },
    });
    const insert = (id: string, deleted: number | null) =>
      store.db.insertInto('dotfiles').values(row(id, deleted)).execute();
    await insert('a', 5);
    await insert('b', 6);
    await insert('c', null);
    await assert.rejects(insert('d', null), /UNIQUE/);
    await assert.rejects(
      store.db
        .insertInto('dotfiles')
        .values({ ...row('e', 7), user_id: 'nobody' })
        .execute(),
      /FOREIGN KEY/,
    );
    await assert.rejects(
      store.db
        .insertInto('dotfiles')
        .values({ ...row('f', 8), mode: 0o4755 })
        .execute(),
      /CHECK/,
    );
    await store.close();
  });
});

describe('migrations', () => {
  const second: Migration = {
    number: 10_000,
    name: 'second',
    up: async (trx) => {
      await trx.schema.createTable('second').addColumn('x', 'integer').execute();
    },
  };

  it('are numbered in their order, each once', () => {
    const numbers = migrations.map(({ number }) => number);
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((one, other) => one - other),
    );
  });

  it('run also where one that was made beside them came first', async () => {
    const store = await openStore(newFile());
    const earlier: Migration = { ...second, number: 9_999, name: 'earlier' };
    const other: Migration = { number: 10_000, name: 'other', up: async () => undefined };
    assert.equal(await migrate(store.db, store.transaction, [...migrations, other]), 1);
    assert.equal(await migrate(store.db, store.transaction, [...migrations, earlier, other]), 1);
    assert.equal(await migrate(store.db, store.transaction, [...migrations, earlier, other]), 0);
    await store.close();
  });

  it('run once, each together with its row, and one that fails leaves nothing behind', async () => {
    const store = await openStore(newFile());
    const failing: Migration = {
      ...second,
      up: async (trx) => {
        await second.up(trx);
        throw new Error('half way');
      },
    };
    const names = async () => (await store.db.introspection.getTables()).map(({ name }) => name);
    await assert.rejects(migrate(store.db, store.transaction, [...migrations, failing]), /half way/);
    assert(!(await names()).includes('second'));
    assert.equal(await migrate(store.db, store.transaction, [...migrations, second]), 1);
    assert.equal(await migrate(store.db, store.transaction, [...migrations, second]), 0);
    assert((await names()).includes('second'));
    await store.close();
  });
});

describe('trouble below', () => {
  function openSmall(file: string, busyMs: number): { db: Kysely<Tables>; writer: DatabaseSync } {
    const writer = new DatabaseSync(file, { timeout: 0 });
    writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)');
    const driver = new SqliteDriver(writer, new DatabaseSync(file, { readOnly: true }), { busyMs });
    return { db: new Kysely<Tables>({ dialect: sqliteDialect(driver) }), writer };
  }

  it('is told of a commit only when that is durable, while others go on', async () => {
    const file = newFile();
    const writer = new DatabaseSync(file, { timeout: 0 });
    writer.exec('PRAGMA journal_mode = WAL; CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT)');
    const syncs: PromiseWithResolvers<void>[] = [];
    const onCommitted = () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    };
    const driver = new SqliteDriver(writer, new DatabaseSync(file, { readOnly: true }), { onCommitted });
    const db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
    const told: string[] = [];
    const insert = async (name: string) => {
      await db.transaction().execute((trx) => trx.insertInto('facts').values(fact(name)).execute());
      told.push(name);
    };
    const both = [insert('first'), insert('second')];
    while (syncs.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, []);
    syncs[1]?.resolve();
    await both[1];
    assert.deepEqual(told, ['second']);
    syncs[0]?.resolve();
    await both[0];
    assert.deepEqual(await factNames({ db }), ['first', 'second']);
    await db.destroy();
  });

  it('is durable by a checkpoint when the log cannot be synced, as soon as nobody reads that', async (t) => {
    const file = newFile();
    let lost: unknown;
    const store = await openStore(file, undefined, (fault) => {
      lost = fault;
    });
    const handle = await open(file, 'r');
    t.mock.method(Object.getPrototypeOf(handle), 'datasync', () => Promise.reject(new Error('EIO')));
    await handle.close();
    // Somebody who reads keeps the checkpoint from being whole.
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM facts').get();
    let isTold = false;
    const told = store
      .transaction((trx) => trx.insertInto('facts').values(fact('one')).execute())
      .then(() => {
        isTold = true;
      });
    await until(async () => (await factNames(store)).includes('one'));
    assert.equal(isTold, false);
    reader.close();
    await told;
    assert.equal(lost, undefined);
    await store.close();
  });

  it('erases what it deletes from the log too, once nobody reads that any more', async () => {
    const file = newFile();
    const store = await openStore(file);
    const secret = 'to-be-erased-'.repeat(4);
    await store.transaction((trx) => trx.insertInto('facts').values({ name: 'one', value: secret }).execute());
    const isThere = async () =>
      (await Promise.all([file, `${file}-wal`].map((name) => readFile(name)))).some((bytes) => bytes.includes(secret));
    assert.ok(await isThere());
    const reader = new DatabaseSync(file, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM facts').get();
    const erased = store.eraseIn((trx) => trx.deleteFrom('facts').where('name', '=', 'one').execute());
    await until(async () => !(await factNames(store)).includes('one'));
    assert.ok(await isThere());
    reader.close();
    await erased;
    assert.equal(await isThere(), false);
    await store.close();
  });

  it('is store-busy while another process holds the lock, without blocking this one, and passes', async () => {
    const file = newFile();
    const { db } = openSmall(file, 60);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await assert.rejects(db.insertInto('facts').values(fact('a')).execute(), { code: 'store-busy' });
    await assert.rejects(
      db.transaction().execute((trx) => trx.insertInto('facts').values(fact('b')).execute()),
      { code: 'store-busy' },
    );
    clearInterval(timer);
    assert(ticks > 3, 'the event loop ran on');
    const waiting = db.insertInto('facts').values(fact('c')).execute();
    other.exec('COMMIT');
    await waiting;
    assert.deepEqual(await factNames({ db }), ['c']);
    other.close();
    await db.destroy();
  });

  it('is insufficient-storage on a full disk; what was there is unharmed, and it works again once there is room', async () => {
    const file = newFile();
    const { db, writer } = openSmall(file, 0);
    await db.insertInto('facts').values(fact('before')).execute();
    writer.exec('PRAGMA max_page_count = 12');
    const large = fact('large', 'x'.repeat(100_000));
    await assert.rejects(db.insertInto('facts').values(large).execute(), { code: 'insufficient-storage' });
    await assert.rejects(
      db.transaction().execute(async (trx) => {
        await trx.insertInto('facts').values(fact('same transaction')).execute();
        await trx.insertInto('facts').values(large).execute();
      }),
      { code: 'insufficient-storage' },
    );
    assert.deepEqual(await factNames({ db }), ['before']);
    writer.exec('PRAGMA max_page_count = 1000');
    await db.insertInto('facts').values(large).execute();
    assert.deepEqual(await factNames({ db }), ['before', 'large']);
    assert.deepEqual({ ...writer.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
    await db.destroy();
  });
});
