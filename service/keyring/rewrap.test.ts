import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openStore, type Store } from '../store/database.ts';
import { refuseWrongKey } from './keyCheck.ts';
import { type Keyring, openKeyring, systemOwnerId } from './keyring.ts';
import { readRootKey } from './rootKey.ts';

const owners = Array.from({ length: 1_200 }, (_, count) => `user${count}`);
const contextOf = (ownerId: string) => ({ ownerId, kind: 'file', objectId: 'o', version: 1, mode: 0 }) as const;

describe('moving to another root key', () => {
  let folder: string;
  const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
  const blobs = new Map<string, Uint8Array>();

  async function withKeyring<T>(
    keys: { key: string; oldKeys?: string[] },
    work: (keyring: Keyring, store: Store) => Promise<T>,
  ): Promise<T> {
    const root = await readRootKey({ key: keys.key, oldKeys: keys.oldKeys ?? [] });
    const store = await openStore(join(folder, 'spoon.db'), refuseWrongKey(root));
    const keyring = await openKeyring(store, root);
    try {
      return await work(keyring, store);
    } finally {
      keyring.close();
      await store.close();
    }
  }
  const openAll = async (keyring: Keyring) => {
    for (const [ownerId, blob] of blobs) {
      assert.equal(Buffer.from(await keyring.open(contextOf(ownerId), blob)).toString(), ownerId);
    }
  };
  const counts = async (keyring: Keyring) =>
    (await keyring.status()).keys.map(({ isCurrent, isAvailable, dataKeys }) => [isCurrent, isAvailable, dataKeys]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-rewrap-'));
    await withKeyring({ key: oldKey }, async (keyring, store) => {
      await store.transaction(async (trx) => {
        for (const owner of owners) await keyring.createDataKey(owner, trx);
      });
      for (const owner of [...owners, systemOwnerId]) {
        blobs.set(owner, await keyring.seal(contextOf(owner), Buffer.from(owner)));
      }
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('needs the old one, and says how much hangs on it', async () => {
    await assert.rejects(
      withKeyring({ key: newKey }, async () => undefined),
      { code: 'key-wrong' },
    );
    await withKeyring({ key: newKey, oldKeys: [oldKey] }, async (keyring) => {
      assert.deepEqual(await counts(keyring), [
        [false, true, 1_201],
        [true, true, 0],
      ]);
      await openAll(keyring);
    });
  });

  it('that ends in the middle has lost nothing, and neither key may go', async () => {
    await withKeyring({ key: newKey, oldKeys: [oldKey] }, async (keyring, store) => {
      let transactions = 0;
      const failing: Store = {
        ...store,
        db: store.db,
        transaction: async (work) => {
          if (++transactions === 2) throw new Error('ended here');
          return store.transaction(work);
        },
      };
      await assert.rejects(keyring.rewrap(failing), /ended here/);
      await openAll(keyring);
      assert.deepEqual(await counts(keyring), [
        [false, true, 701],
        [true, true, 500],
      ]);
    });
    await withKeyring({ key: newKey, oldKeys: [oldKey] }, openAll);
    await withKeyring({ key: newKey }, async (keyring) => {
      assert.deepEqual((await counts(keyring))[0], [false, false, 701]);
    });
  });

  it('without the old key moves nothing, forgets nothing, and names what is missing', async () => {
    await withKeyring({ key: newKey }, async (keyring, store) => {
      await assert.rejects(keyring.rewrap(store), { code: 'key-unavailable' });
      assert.deepEqual(await counts(keyring), [
        [false, false, 701],
        [true, true, 500],
      ]);
    });
  });

  it('goes on where it was ended, while others seal and open, and then needs the new key only', async () => {
    await withKeyring({ key: newKey, oldKeys: [oldKey] }, async (keyring, store) => {
      const [moved] = await Promise.all([
        keyring.rewrap(store),
        openAll(keyring),
        store.transaction((trx) => keyring.createDataKey('late', trx)),
      ]);
      assert.equal(moved, 701);
      assert.equal(await keyring.rewrap(store), 0);
      assert.deepEqual(await counts(keyring), [[true, true, 1_202]]);
    });
    await withKeyring({ key: newKey }, openAll);
    await assert.rejects(
      withKeyring({ key: oldKey }, async () => undefined),
      { code: 'key-wrong' },
    );
  });
});
