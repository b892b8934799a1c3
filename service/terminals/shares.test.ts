import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { addTestUsers, openTestStore } from '../store/testStore.fixture.ts';
import { Shares } from './shares.ts';

it('a share that is being made when one of its two sides is disabled does not come to be', async (t) => {
  const store = await openTestStore(t);
  const root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
  const keyring = await openKeyring(store, root);
  await addTestUsers(store, 'ada', 'bo');
  for (const userId of ['ada', 'bo']) {
    const shares = new Shares({
      store,
      keyring,
      findGuest: async (id) => {
        await store.db.updateTable('users').set({ disabled_ms: 1 }).where('id', '=', userId).execute();
        await shares.endAllOf(userId);
        return { id, disabled: false };
      },
      requireTerminal: async () => undefined,
      onEnd: () => undefined,
      now: Date.now,
    });
    await assert.rejects(shares.create('ada', 'terminal', { with: 'bo' }), { code: 'share-refused' });
    await store.db.updateTable('users').set({ disabled_ms: null }).execute();
    assert.deepEqual(await shares.list('bo'), []);
  }
});
