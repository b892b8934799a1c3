import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { BoxUser } from '../boxes/boxes.ts';
import { rejectedBy } from '../boxes/rejectedBy.ts';
import { openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { withHeldDisk } from '../store/heldDisk.fixture.ts';
import { addTestUsers, openTestStore } from '../store/testStore.fixture.ts';
import { JobRecords } from './jobRecords.ts';
import { JobRunner, type JobRunnerParts } from './jobRunner.ts';
import { Jobs } from './jobs.ts';

/** Ada's jobs, one at a time, in a box that never comes up, over a store whose disk can be held up. */
async function open(t: TestContext) {
  const { store, hold } = withHeldDisk(await openTestStore(t));
  const root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
  const keyring = await openKeyring(store, root);
  await addTestUsers(store, 'ada');
  await store.transaction((trx) => keyring.createDataKey('ada', trx));
  const told: string[] = [];
  const publish = (_: string, event: SpoonEvent) => {
    if (event.type === 'job.changed') told.push(`${event.job.title} ${event.job.state}`);
  };
  const records = new JobRecords({
    store,
    keyring,
    now: Date.now,
    onDamage: ({ error }) => assert.ifError(error),
  });
  const runner = new JobRunner({
    records,
    boxes: {
      ensure: (_: BoxUser, signal: AbortSignal) => rejectedBy(signal),
      running: () => undefined,
    } as unknown as JobRunnerParts['boxes'],
    findUser: async (userId) => ({ userId, username: userId, uid: 100_001, shell: '/bin/bash' }),
    folderFor: async () => '',
    secretsFor: async () => ({ environment: {}, secretFiles: {}, notes: [] }),
    command: ['agent'],
    maxConcurrent: 1,
    publish,
    onError: assert.ifError,
  });
  const findThread = async (_: string, name: string) => ({ id: name, spoon: 'api', branch: name });
  const jobs = new Jobs({ records, runner, findThread, command: ['agent'], timeLimitMs: 60_000, publish });
  t.after(() => runner.close());
  return { jobs, runner, told, hold };
}

describe('a job that is cancelled', () => {
  it('before its turn does not get it while that is being written', async (t) => {
    const { jobs, told, hold } = await open(t);
    const first = await jobs.run('ada', { thread: 'one', prompt: 'first' });
    const second = await jobs.run('ada', { thread: 'two', prompt: 'second' });
    const disk = hold();
    const cancelled = jobs.cancel('ada', second.id);
    await disk.committed;
    disk.letOthersPass();
    await jobs.cancel('ada', first.id);
    while (!told.includes('first cancelled')) await nextTurn();
    disk.release();
    assert.equal((await cancelled).detail, 'It was cancelled before its turn came.');
    // Once more as waiting, when the first one has left the queue.
    assert.deepEqual(
      told.filter((text) => text.startsWith('second')),
      ['second queued', 'second queued', 'second cancelled'],
    );
  });

  it('in the moment in which it is stored and not yet queued does not run', async (t) => {
    const { jobs, runner, hold } = await open(t);
    const disk = hold();
    const running = jobs.run('ada', { thread: 'one', prompt: 'first' });
    await disk.committed;
    disk.letOthersPass();
    const [job] = await jobs.list('ada');
    assert.ok(job);
    const cancelled = jobs.cancel('ada', job.id);
    // Many more turns of the event loop than an answer takes.
    for (let turn = 0; turn < 100; turn++) await nextTurn();
    disk.release();
    await running;
    assert.equal((await cancelled).state, 'cancelling');
    while (runner.active(job.id) !== undefined) await nextTurn();
    assert.equal((await jobs.read('ada', job.id)).job.state, 'cancelled');
  });
});
