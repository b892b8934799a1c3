import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { SpoonError } from '../../protocol/errors.ts';
import { openStore, type Store } from '../store/database.ts';
import { withHeldDisk } from '../store/heldDisk.fixture.ts';
import type { BlobContext } from './envelope.ts';
import { refuseWrongKey } from './keyCheck.ts';
import { type Keyring, openKeyring, systemOwnerId } from './keyring.ts';
import { type RootKey, readRootKey } from './rootKey.ts';

let parent: string;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'spoon-keyring-'));
});
after(() => rm(parent, { recursive: true }));

const newKey = () => randomBytes(32).toString('base64');
const rootOf = (key: string, oldKeys: string[] = []) => readRootKey({ key, oldKeys });
const newFile = async () => join(await mkdtemp(join(parent, 'd')), 'spoon.db');
const contextOf = (ownerId: string, kind: BlobContext['kind'] = 'file') => ({
  ownerId,
  kind,
  objectId: 'o',
  version: 1,
  mode: 0,
});

interface Opened {
  store: Store;
  keyring: Keyring;
  close(): Promise<void>;
}

/** Closed after the test, if the test has not done so before. */
async function open(t: TestContext, file: string, root: RootKey): Promise<Opened> {
  const store = await openStore(file, refuseWrongKey(root));
  const keyring = await openKeyring(store, root);
  let closing: Promise<void> | undefined;
  const close = () => {
    keyring.close();
    closing ??= store.close();
    return closing;
  };
  t.after(close);
  return { store, keyring, close };
}

async function addOwner({ store, keyring }: Opened, ownerId: string): Promise<void> {
  await store.transaction((trx) => keyring.createDataKey(ownerId, trx));
}

async function hashOf(dir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(dir)).sort()) {
    hash.update(`${name} ${(await stat(join(dir, name))).mtimeMs} `).update(await readFile(join(dir, name)));
  }
  return hash.update(String((await stat(dir)).mtimeMs)).digest('hex');
}

describe('a keyring', () => {
  it('opens after a restart what it sealed before', async (t) => {
    const file = await newFile();
    const key = newKey();
    let blob: Uint8Array;
    let mac: Uint8Array;
    {
      const first = await open(t, file, await rootOf(key));
      await addOwner(first, 'ada');
      blob = await first.keyring.seal(contextOf('ada'), Buffer.from('hello'));
      mac = await first.keyring.mac('ada', 'path', Buffer.from('.bashrc'));
      await first.close();
    }
    const second = await open(t, file, await rootOf(key));
    assert.equal(Buffer.from(await second.keyring.open(contextOf('ada'), blob)).toString(), 'hello');
    assert.deepEqual(await second.keyring.mac('ada', 'path', Buffer.from('.bashrc')), mac);
  });

  it('has the owner "system" from the first start', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    const blob = await opened.keyring.seal(contextOf(systemOwnerId, 'token'), Buffer.from('admin token'));
    assert.equal((await opened.keyring.open(contextOf(systemOwnerId, 'token'), blob)).length, 11);
  });

  it('pads names, so that their length says little', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    const lengths = await Promise.all(
      ['a', 'a'.repeat(31), 'a'.repeat(32)].map(async (name) => {
        const blob = await opened.keyring.seal(contextOf(systemOwnerId, 'name'), Buffer.from(name));
        assert.equal(Buffer.from(await opened.keyring.open(contextOf(systemOwnerId, 'name'), blob)).toString(), name);
        return blob.length;
      }),
    );
    assert.deepEqual(lengths, [72, 72, 104]);
  });

  it('keeps owners apart: no blob and no hash of one is of use for another', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    await addOwner(opened, 'ada');
    await addOwner(opened, 'bob');
    const { keyring } = opened;
    const blob = await keyring.seal(contextOf('ada'), Buffer.from('x'));
    await assert.rejects(keyring.open(contextOf('bob'), blob), { code: 'integrity-failure' });
    const same = Buffer.from('the same bytes');
    const macs = [
      await keyring.mac('ada', 'path', same),
      await keyring.mac('ada', 'content', same),
      await keyring.mac('ada', 'etag', same),
      await keyring.mac('bob', 'content', same),
    ];
    assert.equal(new Set(macs.map((mac) => Buffer.from(mac).toString('hex'))).size, 4);
  });

  it('seals inside the transaction that makes the owner, and forgets the owner when that is rolled back', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    const { store, keyring } = opened;
    await assert.rejects(
      store.transaction(async (trx) => {
        await keyring.createDataKey('ada', trx);
        await keyring.seal(contextOf('ada'), Buffer.from('x'));
        throw new Error('on purpose');
      }),
      /on purpose/,
    );
    await assert.rejects(keyring.seal(contextOf('ada'), Buffer.from('x')), { code: 'key-unavailable' });
    await addOwner(opened, 'ada');
    await keyring.seal(contextOf('ada'), Buffer.from('x'));
  });

  it('says key-unavailable for an unknown owner and for a data key that is gone, and others go on', async (t) => {
    const file = await newFile();
    const key = newKey();
    let blobs: Uint8Array[];
    {
      const first = await open(t, file, await rootOf(key));
      await addOwner(first, 'ada');
      await addOwner(first, 'bob');
      await assert.rejects(first.keyring.mac('nobody', 'path', Buffer.of()), { code: 'key-unavailable' });
      blobs = await Promise.all(
        ['ada', 'bob'].map((owner) => first.keyring.seal(contextOf(owner), Buffer.from(owner))),
      );
      await first.store.db.deleteFrom('data_keys').where('owner_id', '=', 'ada').execute();
      await first.close();
    }
    const second = await open(t, file, await rootOf(key));
    const [ofAda, ofBob] = blobs as [Uint8Array, Uint8Array];
    await assert.rejects(second.keyring.open(contextOf('ada'), ofAda), { code: 'key-unavailable' });
    assert.equal(Buffer.from(await second.keyring.open(contextOf('bob'), ofBob)).toString(), 'bob');
  });

  it('keeps no data key of an owner who is gone, also where it was just read or exchanged', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    const { store, keyring } = opened;
    await addOwner(opened, 'ada');
    const gone = { code: 'key-unavailable' };
    const mac = () => keyring.mac('ada', 'path', Buffer.from('x'));
    await store.eraseIn(async (trx) => {
      await keyring.destroyDataKeys('ada', trx);
      // Until the commit its row is there for all others.
      await assert.rejects(mac, gone);
    });
    await assert.rejects(mac, gone);

    await addOwner(opened, 'ada');
    const disk = withHeldDisk(store);
    const held = disk.hold();
    const exchanged = keyring.exchangeDataKey(disk.store, 'ada');
    await held.committed;
    await store.eraseIn((trx) => keyring.destroyDataKeys('ada', trx));
    held.release();
    await exchanged;
    await assert.rejects(mac, gone);

    await addOwner(opened, 'bo');
    await assert.rejects(
      store.eraseIn(async (trx) => {
        await keyring.destroyDataKeys('bo', trx);
        throw new Error('rolled back');
      }),
      /rolled back/,
    );
    await keyring.mac('bo', 'path', Buffer.from('x'));
  });

  it('refuses a data key that was moved to another owner', async (t) => {
    const file = await newFile();
    const key = newKey();
    {
      const first = await open(t, file, await rootOf(key));
      await addOwner(first, 'ada');
      await first.store.db.updateTable('data_keys').set({ owner_id: 'bob' }).where('owner_id', '=', 'ada').execute();
      await first.close();
    }
    const second = await open(t, file, await rootOf(key));
    await assert.rejects(second.keyring.seal(contextOf('bob'), Buffer.of(1)), { code: 'integrity-failure' });
  });

  it('serves many at once while its cache overflows and is cleared', async (t) => {
    const opened = await open(t, await newFile(), await rootOf(newKey()));
    const owners = Array.from({ length: 1_100 }, (_, index) => `owner-${index}`);
    await opened.store.transaction(async (trx) => {
      for (const owner of owners) await opened.keyring.createDataKey(owner, trx);
    });
    const clearing = setInterval(() => opened.keyring.close(), 1);
    await Promise.all(
      [...owners, ...owners].map(async (owner) => {
        const blob = await opened.keyring.seal(contextOf(owner), Buffer.from(owner));
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(Buffer.from(await opened.keyring.open(contextOf(owner), blob)).toString(), owner);
      }),
    );
    clearInterval(clearing);
  });

  it('opens blobs of several keys in one go, each by its own, and says of each that is damaged', async (t) => {
    const file = await newFile();
    const key = newKey();
    const blobs: Uint8Array[] = [];
    const owners = ['ada', 'bob', 'bob', 'ada', 'ada', 'bob'];
    {
      const first = await open(t, file, await rootOf(key));
      for (const owner of ['ada', 'bob']) await addOwner(first, owner);
      for (const owner of owners) blobs.push(await first.keyring.seal(contextOf(owner), Buffer.from(owner)));
      await first.close();
    }
    // Opened anew, so that keys are loaded while it goes on.
    const { keyring } = await open(t, file, await rootOf(key));
    const damaged = Buffer.from(blobs[3] ?? []);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const given = [...blobs.slice(0, 3), damaged, Buffer.from('SP'), ...blobs.slice(4)];
    const expected = ['ada', 'bob', 'bob', 'integrity-failure', 'integrity-failure', 'ada', 'bob'];
    const contexts = ['ada', 'bob', 'bob', 'ada', 'ada', 'ada', 'bob'].map((owner) => contextOf(owner));
    const opened = await keyring.openEach(
      given.map((blob, index) => ({ context: contexts[index] ?? contextOf(''), blob })),
    );
    const words = opened.map((one) => (one instanceof SpoonError ? one.code : Buffer.from(one).toString()));
    assert.deepEqual(words, expected);
  });

  it('shows no key when it is printed', async (t) => {
    const root = await rootOf(newKey());
    const opened = await open(t, await newFile(), root);
    await opened.keyring.seal(contextOf(systemOwnerId), Buffer.of(1));
    const printed = inspect(opened.keyring, { depth: 10, showHidden: true }) + JSON.stringify(opened.keyring);
    const secret = (await root.current.bytes(Buffer.of())).toString('hex');
    assert(!printed.replaceAll(' ', '').includes(secret.slice(0, 16)));
  });
});

describe('a wrong key', () => {
  it('is refused by name of the setting and ids, and not one byte of the data folder changes', async (t) => {
    const file = await newFile();
    const dir = join(file, '..');
    await (await open(t, file, await rootOf(newKey()))).close();
    const before = await hashOf(dir);
    const startMs = performance.now();
    await assert.rejects(open(t, file, await rootOf(newKey())), {
      code: 'key-wrong',
      detail: /^SPOON_ENCRYPTION_KEY has the key id [0-9a-f]{8}, expected [0-9a-f]{8}\./,
    });
    const secret = await readRootKey({ instanceSecret: 'a text that only this test has ever seen', oldKeys: [] });
    await assert.rejects(open(t, file, secret), { code: 'key-wrong', detail: /^INSTANCE_SECRET / });
    assert(performance.now() - startMs < 5_000);
    assert.equal(await hashOf(dir), before);
  });

  it('is also refused by openKeyring alone, with the same rows as before', async (t) => {
    const file = await newFile();
    await (await open(t, file, await rootOf(newKey()))).close();
    const content = await readFile(file);
    const store = await openStore(file);
    await assert.rejects(openKeyring(store, await rootOf(newKey())), { code: 'key-wrong' });
    await store.close();
    assert.deepEqual(await readFile(file), content);
  });

  it('is what it says when there is data but no keyring: that is no first start', async (t) => {
    const file = await newFile();
    const key = newKey();
    {
      const first = await open(t, file, await rootOf(key));
      await addOwner(first, 'ada');
      await first.store.db.deleteFrom('keyring').execute();
      await first.close();
    }
    const before = await hashOf(join(file, '..'));
    await assert.rejects(open(t, file, await rootOf(key)), { code: 'key-wrong', detail: /keyring is empty/ });
    assert.equal(await hashOf(join(file, '..')), before);
  });

  it('is also one whose check value was replaced', async (t) => {
    const file = await newFile();
    const key = newKey();
    {
      const first = await open(t, file, await rootOf(key));
      await first.store.db
        .updateTable('keyring')
        .set({ kcv: randomBytes(32) })
        .execute();
      await first.close();
    }
    await assert.rejects(open(t, file, await rootOf(key)), { code: 'key-wrong' });
  });
});

describe('a new key', () => {
  it('seals from its first start; the old one still opens what it wrapped, for as long as it is given', async (t) => {
    const file = await newFile();
    const [oldKey, key] = [newKey(), newKey()];
    let blob: Uint8Array;
    {
      const first = await open(t, file, await rootOf(oldKey));
      await addOwner(first, 'ada');
      blob = await first.keyring.seal(contextOf('ada'), Buffer.from('before'));
      await first.close();
    }
    {
      const second = await open(t, file, await rootOf(key, [oldKey]));
      assert.equal(Buffer.from(await second.keyring.open(contextOf('ada'), blob)).toString(), 'before');
      await addOwner(second, 'bob');
      const rows = await second.store.db.selectFrom('data_keys').select(['owner_id', 'kek_id']).execute();
      const kekOf = new Map(rows.map(({ owner_id, kek_id }) => [owner_id, kek_id]));
      assert.notEqual(kekOf.get('ada'), kekOf.get('bob'));
      await second.close();
    }
    const third = await open(t, file, await rootOf(key));
    await third.keyring.seal(contextOf('bob'), Buffer.of(1));
    await assert.rejects(third.keyring.open(contextOf('ada'), blob), { code: 'key-unavailable' });
  });

  it('may follow an instance secret', async (t) => {
    const file = await newFile();
    const text = 'a text that only this test has ever seen';
    let blob: Uint8Array;
    {
      const first = await open(t, file, await readRootKey({ instanceSecret: text, oldKeys: [] }));
      blob = await first.keyring.seal(contextOf(systemOwnerId), Buffer.from('before'));
      await first.close();
    }
    const second = await open(t, file, await rootOf(newKey(), [text]));
    assert.equal(Buffer.from(await second.keyring.open(contextOf(systemOwnerId), blob)).toString(), 'before');
  });
});
