import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Users } from './users.ts';

describe('users', () => {
  let folder: string;
  let store: Store;
  let keyring: Keyring;
  let users: Users;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-users-'));
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await store?.close();
    store = await openStore(join(folder, `${randomBytes(4).toString('hex')}.db`));
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    users = new Users({ store, keyring, separatesUsers: true });
  });

  it('get a name from their profile, a uid of their own, and the default shell', async () => {
    const ada = await users.create({ displayName: 'Ada Lovelace' });
    const second = await users.create({ displayName: 'Ada Byron', shell: '/bin/zsh' });
    assert.deepEqual([ada.username, ada.uid, ada.shell], ['ada', 100_001, '/bin/bash']);
    assert.deepEqual([second.username, second.uid, second.shell], ['ada2', 100_002, '/bin/zsh']);
    assert.deepEqual(await users.byId(ada.id), ada);
    assert.deepEqual(await users.byName('ada2'), second);
    assert.deepEqual(
      (await users.list()).map(({ username }) => username),
      ['ada', 'ada2'],
    );
    assert.equal(await users.byName('nobody-here'), undefined);
  });

  it('of one name, made at the same time, get different names and uids', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => users.create({ displayName: 'Zoë' })));
    assert.equal(new Set(made.map(({ username }) => username)).size, 20);
    assert.equal(new Set(made.map(({ uid }) => uid)).size, 20);
    assert.ok(made.every(({ username }) => username.startsWith('zoe')));
  });

  it('never get a uid that another had, also when that one is gone', async () => {
    const ada = await users.create({ displayName: 'Ada' });
    await store.db.deleteFrom('users').where('id', '=', ada.id).execute();
    assert.equal((await users.create({ displayName: 'Bo' })).uid, ada.uid + 1);
  });

  for (const [what, change] of [
    ['home', { username: 'eve' }],
    ['uid', { uid: 0 }],
    ['shell', { shell: '/home/eve/sh' }],
  ] as const) {
    it(`cannot be given another ${what} by who writes the database without the key`, async () => {
      const { id } = await users.create({ displayName: 'Ada' });
      await store.db.updateTable('users').set(change).where('id', '=', id).execute();
      await assert.rejects(users.byId(id), { code: 'integrity-failure' });
    });
  }

  const names = [
    'root',
    'admin',
    '..',
    '.',
    '',
    'A',
    'a b',
    'a/b',
    'а',
    '-x',
    '1a',
    'con',
    'x'.repeat(32),
    'a\n',
    'a\0',
  ];
  for (const username of names) {
    it(`are refused the name ${JSON.stringify(username)}`, async () => {
      await assert.rejects(users.create({ displayName: 'Ada', username }), { code: 'username-invalid' });
      assert.deepEqual(await users.list(), []);
    });
  }

  it('are refused a name that is taken', async () => {
    await users.create({ displayName: 'Ada' });
    await assert.rejects(users.create({ displayName: 'Ada', username: 'ada' }), { code: 'user-exists' });
  });

  for (const shell of ['/bin/../evil', 'bash;id', 'bash', '/bin//bash', '/bin/', '/bin/bash\n', '/bin/$(id)', '/.']) {
    it(`are refused the shell ${JSON.stringify(shell)}`, async () => {
      await assert.rejects(users.create({ displayName: 'Ada', shell }), { code: 'request-invalid' });
    });
  }

  for (const displayName of ['', '  ', 'a\nb', 'a\u001b[31m', 'a\u202eb', '\ud800']) {
    it(`are refused the display name ${JSON.stringify(displayName)}`, async () => {
      await assert.rejects(users.create({ displayName }), { code: 'request-invalid' });
    });
  }

  it('can be one only where boxes cannot be kept apart', async () => {
    const alone = new Users({ store, keyring, separatesUsers: false });
    await alone.create({ displayName: 'Ada' });
    await assert.rejects(alone.create({ displayName: 'Bo' }), { code: 'single-user-only' });
    assert.equal((await alone.list()).length, 1);
  });

  it('are not readable by their display name in the database', async () => {
    const path = join(folder, 'canary.db');
    const other = await openStore(path);
    const ring = await openKeyring(other, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    await new Users({ store: other, keyring: ring, separatesUsers: true }).create({ displayName: 'Ada Canarybird' });
    await other.close();
    assert.ok(!(await readFile(path)).includes('Canarybird'));
  });
});
