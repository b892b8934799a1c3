import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CompiledQuery } from 'kysely';
import { openStore, type Store } from './database.ts';
import { deleteUserRows } from './userRows.ts';

describe('what is stored of a user', () => {
  let folder: string;
  let store: Store;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-user-rows-'));
    store = await openStore(join(folder, 'spoon.db'));
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is deleted from every table that names a user, also from one that is made next year', async () => {
    const deleted: string[] = [];
    await store.transaction(async (trx) => {
      const noting = new Proxy(trx, {
        get(target, name) {
          if (name !== 'deleteFrom') return Reflect.get(target, name);
          return (table: 'users') => {
            deleted.push(table);
            return target.deleteFrom(table);
          };
        },
      });
      await deleteUserRows(noting, 'nobody');
    });
    const tables = await store.db.introspection.getTables();
    const naming = tables.filter(({ columns }) =>
      columns.some(({ name }) => name === 'user_id' || name === 'owner_id'),
    );
    // The keys go first and apart, and a uid is never given out again.
    const wanted = naming.map(({ name }) => name).filter((name) => name !== 'uids' && name !== 'data_keys');
    assert.deepEqual([...new Set(deleted)].sort(), [...wanted, 'users'].sort());
  });

  it('is overwritten in the file when it is erased', async () => {
    const text = 'CANARY'.repeat(20);
    await store.db.insertInto('facts').values({ name: 'canary', value: text }).execute();
    await store.checkpoint();
    const bytes = () => readFile(join(folder, 'spoon.db'));
    assert.ok((await bytes()).includes('CANARY'));
    await store.eraseIn((trx) => trx.deleteFrom('facts').where('name', '=', 'canary').execute());
    assert.ok(!(await bytes()).includes('CANARY'));
    const { rows } = await store.transaction((trx) =>
      trx.executeQuery<{ secure_delete: number }>(CompiledQuery.raw('PRAGMA secure_delete')),
    );
    assert.deepEqual(
      rows.map((row) => row.secure_delete),
      [0],
    );
  });
});
