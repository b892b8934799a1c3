import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withHeldDisk } from '../store/heldDisk.fixture.ts';
import { addTestUsers, openTestStore } from '../store/testStore.fixture.ts';
import { Pins } from './pins.ts';

it('of two changes of a pin the later one counts, however late the earlier one hears that it is on the disk', async (t) => {
  const { store, hold } = withHeldDisk(await openTestStore(t));
  await addTestUsers(store, 'ada');
  const pins = await Pins.open(store);
  const disk = hold();
  const pinned = pins.set('ada', Date.now() + 60_000);
  await disk.committed;
  disk.letOthersPass();
  const cleared = pins.clear('ada');
  // Many more turns of the event loop than a change takes.
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  disk.release();
  await Promise.all([pinned, cleared]);
  assert.equal((await Pins.open(store)).untilMs('ada'), undefined);
  assert.equal(pins.untilMs('ada'), undefined);
});
