import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withHeldDisk } from '../store/heldDisk.fixture.ts';
import { addTestUsers, openTestStore } from '../store/testStore.fixture.ts';
import { Quotas } from './quotas.ts';

it('of two changes of a quota the later one counts, however late the earlier one hears that it is on the disk', async (t) => {
  const { store, hold } = withHeldDisk(await openTestStore(t));
  await addTestUsers(store, 'ada');
  const quotas = await Quotas.open(store);
  const disk = hold();
  const first = quotas.change('ada', { terminals: 2, dotfiles: 10 });
  await disk.committed;
  disk.letOthersPass();
  const second = quotas.change('ada', { terminals: 3 });
  // Many more turns of the event loop than a change takes.
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  disk.release();
  await Promise.all([first, second]);
  const { terminals, dotfiles } = quotas.limitsOf('ada');
  assert.deepEqual([terminals, dotfiles], [3, 10]);
  assert.deepEqual((await Quotas.open(store)).limitsOf('ada'), quotas.limitsOf('ada'));
});
