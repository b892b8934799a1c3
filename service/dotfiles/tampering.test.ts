import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DotfileRow, DotfileVersionRow } from '../store/tables.ts';
import { at, saveOf, TestUsers } from './testUsers.fixture.ts';

/** Row 98: somebody can write to the database, but has no key. */

interface Scene {
  readonly users: TestUsers;
  row(path: string, userId?: string): Promise<DotfileRow>;
  version(path: string, version: number, userId?: string): Promise<DotfileVersionRow>;
  setRow(path: string, columns: Partial<DotfileRow>): Promise<void>;
  setVersion(path: string, version: number, columns: Partial<DotfileVersionRow>): Promise<void>;
}

/** Ada has `victim` in two versions, `other` and `third`; Bob has a `victim` too. */
async function setScene(t: TestContext): Promise<Scene> {
  const users = await TestUsers.open(t, 'ada', 'bob');
  const ids = new Map<string, string>();
  const save = async (userId: string, path: string, content: string, ifMatch?: string) => {
    const { dotfile } = await users.dotfiles.save(userId, saveOf(path, content, { ifMatch }));
    ids.set(`${userId} ${path}`, dotfile.id);
    return dotfile.etag;
  };
  const etag = await save('ada', 'victim', 'first');
  await save('ada', 'victim', 'second', etag);
  await save('ada', 'other', 'other');
  await save('ada', 'third', 'third');
  await save('bob', 'victim', 'of bob');
  const { db } = users.store;
  const idOf = (path: string, userId = 'ada') => ids.get(`${userId} ${path}`) ?? assert.fail();
  return {
    users,
    row: (path, userId) =>
      db.selectFrom('dotfiles').selectAll().where('id', '=', idOf(path, userId)).executeTakeFirstOrThrow(),
    version: (path, version, userId) =>
      db
        .selectFrom('dotfile_versions')
        .selectAll()
        .where('dotfile_id', '=', idOf(path, userId))
        .where('version', '=', version)
        .executeTakeFirstOrThrow(),
    setRow: async (path, columns) => {
      await db.updateTable('dotfiles').set(columns).where('id', '=', idOf(path)).execute();
    },
    setVersion: async (path, version, columns) => {
      await db
        .updateTable('dotfile_versions')
        .set(columns)
        .where('dotfile_id', '=', idOf(path))
        .where('version', '=', version)
        .execute();
    },
  };
}

const flip = (bytes: Uint8Array, index: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ 1 : byte));

async function readsAs(users: TestUsers, path: string): Promise<string> {
  return users
    .reopen()
    .read('ada', at(path))
    .then(
      ({ bytes }) => Buffer.from(bytes).toString(),
      (error) => error.code,
    );
}

const acts: readonly (readonly [what: string, act: (scene: Scene) => Promise<void>, damaged: readonly string[]])[] = [
  [
    'a bit of the content flipped',
    async ({ version, setVersion }) => {
      const { blob } = await version('victim', 2);
      await setVersion('victim', 2, { blob: flip(blob, blob.length - 20) });
    },
    ['victim'],
  ],
  [
    'the algorithm byte set to ff',
    async ({ version, setVersion }) => {
      const blob = Uint8Array.from((await version('victim', 2)).blob);
      blob[3] = 0xff;
      await setVersion('victim', 2, { blob });
    },
    ['victim'],
  ],
  [
    'the content cut short',
    async ({ version, setVersion }) => {
      const { blob } = await version('victim', 2);
      await setVersion('victim', 2, { blob: blob.slice(0, 10) });
    },
    ['victim'],
  ],
  ['the content emptied', ({ setVersion }) => setVersion('victim', 2, { blob: new Uint8Array() }), ['victim']],
  [
    'the content of another user pasted in',
    async ({ version, setVersion }) => {
      const { blob, content_mac, size } = await version('victim', 1, 'bob');
      await setVersion('victim', 2, { blob, content_mac, size });
    },
    ['victim'],
  ],
  [
    'the content of another file pasted in, with all that goes with it',
    async ({ version, setVersion, setRow }) => {
      const { blob, content_mac, size } = await version('other', 1);
      await setVersion('victim', 2, { blob, content_mac, size });
      await setRow('victim', { content_mac, size });
    },
    ['victim'],
  ],
  [
    'the content of an older version pasted in',
    async ({ version, setVersion, setRow }) => {
      const { blob, content_mac, size } = await version('victim', 1);
      await setVersion('victim', 2, { blob, content_mac, size });
      await setRow('victim', { content_mac, size });
    },
    ['victim'],
  ],
  ['the version rewound', ({ setRow }) => setRow('victim', { version: 1 }), ['victim']],
  [
    'the version rewound, with all that goes with it',
    async ({ version, setRow }) => {
      const { content_mac, size } = await version('victim', 1);
      await setRow('victim', { version: 1, content_mac, size });
    },
    ['victim'],
  ],
  ['the mode opened up', ({ setRow }) => setRow('victim', { mode: 0o777 }), ['victim']],
  [
    'the mode opened up everywhere',
    async ({ setRow, setVersion }) => {
      await setRow('victim', { mode: 0o777 });
      await setVersion('victim', 2, { mode: 0o777 });
    },
    ['victim'],
  ],
  [
    'a file made a symbolic link',
    async ({ setRow, setVersion }) => {
      await setRow('victim', { kind: 'symlink' });
      await setVersion('victim', 2, { kind: 'symlink' });
    },
    ['victim'],
  ],
  ['the size changed', ({ setRow }) => setRow('victim', { size: 1 }), ['victim']],
  [
    'the size changed everywhere',
    async ({ setRow, setVersion }) => {
      await setRow('victim', { size: 1 });
      await setVersion('victim', 2, { size: 1 });
    },
    ['victim'],
  ],
  [
    'the hash of the content changed',
    ({ setRow }) => setRow('victim', { content_mac: new Uint8Array(32) }),
    ['victim'],
  ],
  [
    'two paths swapped',
    async ({ row, setRow }) => {
      const [victim, other] = [await row('victim'), await row('other')];
      await setRow('victim', { path_mac: new Uint8Array(1) });
      await setRow('other', { path_mac: victim.path_mac });
      await setRow('victim', { path_mac: other.path_mac });
    },
    ['victim', 'other'],
  ],
  [
    'two paths swapped, with their sealed names',
    async ({ row, setRow }) => {
      const [victim, other] = [await row('victim'), await row('other')];
      await setRow('victim', { path_mac: new Uint8Array(1) });
      await setRow('other', { path_mac: victim.path_mac, path_enc: victim.path_enc });
      await setRow('victim', { path_mac: other.path_mac, path_enc: other.path_enc });
    },
    ['victim', 'other'],
  ],
  [
    'the sealed name of another user pasted in',
    async ({ row, setRow }) => setRow('victim', { path_enc: (await row('victim', 'bob')).path_enc }),
    ['victim'],
  ],
  [
    'a bit of the sealed name flipped',
    async ({ row, setRow }) => setRow('victim', { path_enc: flip((await row('victim')).path_enc, 60) }),
    ['victim'],
  ],
  [
    'the current version deleted',
    async ({ users, row }) => {
      const { id } = await row('victim');
      await users.store.db
        .deleteFrom('dotfile_versions')
        .where('dotfile_id', '=', id)
        .where('version', '=', 2)
        .execute();
    },
    ['victim'],
  ],
];

describe('a changed database', () => {
  for (const [what, act, damaged] of acts) {
    it(`is found out: ${what}; the other files go on`, async (t) => {
      const scene = await setScene(t);
      const { users } = scene;
      await act(scene);
      for (const path of ['victim', 'other', 'third']) {
        const expected = damaged.includes(path) ? 'integrity-failure' : path;
        assert.equal(await readsAs(users, path), expected, path);
      }
      const list = await users.reopen().list('ada');
      assert(list.dotfiles.some(({ path }) => path === 'third'));
      assert.equal(list.dotfiles.length + (list.damaged ?? 0), 3, 'none is left out unsaid');
      const { etag } = list.dotfiles.find(({ path }) => path === 'third') ?? assert.fail();
      await users.dotfiles.save('ada', saveOf('third', 'still works', { ifMatch: etag }));
      const bob = await users.dotfiles.read('bob', at('victim'));
      assert.equal(Buffer.from(bob.bytes).toString(), 'of bob');
    });
  }

  it('is found out in an older version, and the current one still opens', async (t) => {
    const scene = await setScene(t);
    const { blob } = await scene.version('victim', 1);
    await scene.setVersion('victim', 1, { blob: flip(blob, 30) });
    await assert.rejects(scene.users.dotfiles.read('ada', at('victim'), 1), { code: 'integrity-failure' });
    assert.equal(await readsAs(scene.users, 'victim'), 'second');
  });

  it('names the damaged object for the log, and never its path', async (t) => {
    const scene = await setScene(t);
    const { users } = scene;
    const { id, path_enc } = await scene.row('victim');
    await scene.setRow('victim', { path_enc: flip(path_enc, 60) });
    assert.equal((await users.reopen().list('ada')).damaged, 1);
    assert.deepEqual(
      users.damages.map((damage) => [damage.userId, damage.dotfileId]),
      [['ada', id]],
    );
    await assert.rejects(users.dotfiles.read('ada', at('victim')), { extra: { dotfileId: id } });
    assert(!JSON.stringify(users.damages).includes('victim'));
  });

  it('leaves contents out of a transfer one by one', async (t) => {
    const scene = await setScene(t);
    const { blob } = await scene.version('victim', 2);
    await scene.setVersion('victim', 2, { blob: flip(blob, 30) });
    const got: string[] = [];
    for await (const { path } of scene.users.dotfiles.contents('ada', ['victim', 'other'].map(at))) got.push(path);
    assert.deepEqual(got, ['other']);
    assert.equal(scene.users.damages.length, 1);
  });

  it('refuses to save over what is damaged; its owner can remove it and make it anew', async (t) => {
    const scene = await setScene(t);
    const { users } = scene;
    await scene.setRow('victim', { mode: 0o777 });
    const dotfiles = users.reopen();
    await assert.rejects(dotfiles.save('ada', saveOf('victim', 'new')), { code: 'integrity-failure' });
    await dotfiles.remove('ada', at('victim'));
    await dotfiles.save('ada', saveOf('victim', 'new', { ifNoneMatch: '*' }));
    assert.equal(await readsAs(users, 'victim'), 'new');
  });

  it('without the data key is one message for all of that user, and none for others', async (t) => {
    const scene = await setScene(t);
    const { users } = scene;
    await users.store.db.deleteFrom('data_keys').where('owner_id', '=', 'ada').execute();
    users.keyring.close();
    assert.equal(await readsAs(users, 'third'), 'key-unavailable');
    assert.equal(Buffer.from((await users.dotfiles.read('bob', at('victim'))).bytes).toString(), 'of bob');
  });
});
