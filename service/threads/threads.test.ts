import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GitOperation } from '../../protocol/boxdGit.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxThreadsPerUser } from '../../protocol/limits.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { addTestUsers, openTestStore } from '../store/testStore.fixture.ts';
import { Spoons } from './spoons.ts';
import { ThreadRecords } from './threadRecords.ts';
import { Threads } from './threads.ts';

const url = 'https://git.example/ada/api.git';

/** The part of a box that git works in: its folders, and operations that end when the test says so. */
class FakeGit {
  readonly folders = new Set<string>();
  #held: PromiseWithResolvers<void> | undefined;
  #begun: PromiseWithResolvers<void> | undefined;

  /** The next operation begins, and goes on when it is released. */
  hold(): { readonly begun: Promise<void>; readonly release: () => void } {
    const [held, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#held = held;
    this.#begun = begun;
    return { begun: begun.promise, release: held.resolve };
  }

  async start(request: Readonly<Record<string, unknown>>): Promise<GitOperation> {
    const held = this.#held;
    this.#held = undefined;
    this.#begun?.resolve();
    await held?.promise;
    const { kind, folder } = request;
    if (kind === 'remove') {
      const removed = this.folders.delete(String(folder));
      return { state: 'done', step: 1, result: { removed } };
    }
    assert.equal(kind, 'make');
    this.folders.add(String(folder));
    return { state: 'done', step: 1, result: { isNew: false, defaultBranch: null, notes: [] } };
  }
}

async function open(t: TestContext) {
  const store = await openTestStore(t);
  const root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
  const keyring = await openKeyring(store, root);
  await addTestUsers(store, 'ada');
  await store.transaction((trx) => keyring.createDataKey('ada', trx));
  const stored = { store, keyring, gitHosts: [], now: Date.now, onDamage: assert.ifError };
  const user = { userId: 'ada', username: 'ada', uid: 100_001, shell: '/bin/bash' };
  const git = new FakeGit();
  const box = { user, boxd: { git } } as unknown as RunningBox;
  const records = new ThreadRecords(stored);
  const threads = new Threads({
    spoons: new Spoons(stored),
    records,
    boxes: { ensure: async () => box, running: () => undefined },
    findUser: async () => user,
    homeSizes: { requireRoom: async () => undefined },
    timeoutMs: 60_000,
    onCheckout: () => undefined,
  });
  const make = (branch: string) => threads.create('ada', { spoon: 'api', url, branch }, {});
  return { threads, records, git, box, make };
}

const free = { confirm: undefined, requireFree: () => undefined };
const withCode = (code: string) => (error: unknown) => error instanceof SpoonError && error.code === code;

describe('a thread that is deleted', () => {
  it('leaves no folder to what starts in it meanwhile, which is told that it is gone', async (t) => {
    const { threads, records, git, box, make } = await open(t);
    const { thread } = await make('main');
    const { begun, release } = git.hold();
    const removed = threads.remove('ada', thread.id, free);
    await begun;
    const lookedUp = t.mock.method(records, 'byBranch');
    const started = assert.rejects(threads.folderFor(box, 'api/main', {}), withCode('thread-unknown'));
    const checkedOut = assert.rejects(threads.checkOut('ada', thread.id, {}), withCode('not-found'));
    while (lookedUp.mock.callCount() === 0) await nextTurn();
    await lookedUp.mock.calls[0]?.result;
    await nextTurn();
    release();
    await Promise.all([removed, started, checkedOut]);
    assert.deepEqual([...git.folders], []);
  });

  it('waits for what is being checked out, and stays where that is then at work', async (t) => {
    const { threads, git, box, make } = await open(t);
    const { thread } = await make('main');
    const { begun, release } = git.hold();
    const started = threads.folderFor(box, 'api/main', {});
    await begun;
    const asked = Promise.withResolvers<void>();
    let asks = 0;
    const requireFree = () => {
      asked.resolve();
      if (++asks > 1) throw new SpoonError('thread-in-use');
    };
    const removed = assert.rejects(
      threads.remove('ada', thread.id, { confirm: undefined, requireFree }),
      withCode('thread-in-use'),
    );
    await asked.promise;
    release();
    assert.equal(await started, 'Code/api/main');
    await removed;
    assert.deepEqual([...git.folders], ['Code/api/main']);
  });
});

/** Up to the last but one, with one that was made before. */
async function fillUp(records: ThreadRecords, spoonId: string): Promise<void> {
  const branches = Array.from({ length: maxThreadsPerUser - 2 }, (_, index) => `filler-${index}`);
  await Promise.all(branches.map((branch) => records.create('ada', spoonId, branch)));
}

describe('what waits for a thread that is being deleted', () => {
  it('is not held up when it gives up, and lets nobody in before', async (t) => {
    const { threads, git, box, make } = await open(t);
    const { thread } = await make('main');
    const { begun, release } = git.hold();
    const removed = threads.remove('ada', thread.id, free);
    await begun;
    const gaveUp = new AbortController();
    const started = threads.folderFor(box, 'api/main', { signal: gaveUp.signal });
    gaveUp.abort(new SpoonError('job-ended'));
    await assert.rejects(started, withCode('job-ended'));
    const next = assert.rejects(threads.checkOut('ada', thread.id, {}), withCode('not-found'));
    assert.deepEqual([...git.folders], ['Code/api/main']);
    release();
    await Promise.all([removed, next]);
    assert.deepEqual([...git.folders], []);
  });

  it('starts no box for a thread that is not there', async (t) => {
    const { threads } = await open(t);
    const progress: unknown[] = [];
    const watcher = { onProgress: (one: unknown) => progress.push(one) };
    await assert.rejects(threads.checkOut('ada', crypto.randomUUID(), watcher), withCode('not-found'));
    assert.deepEqual(progress, []);
  });
});

describe('the limit on threads', () => {
  it('holds for those that are made at once', async (t) => {
    const { threads, records, git, make } = await open(t);
    const { thread } = await make('first');
    await fillUp(records, thread.spoonId);
    const { begun, release } = git.hold();
    const last = make('last');
    await begun;
    await assert.rejects(make('one-too-many'), withCode('thread-limit'));
    release();
    await last;
    assert.equal(await records.count('ada'), maxThreadsPerUser);
    await threads.remove('ada', thread.id, free);
    await make('again');
  });

  it('is not used up by those that fail', async (t) => {
    const { records, git, make } = await open(t);
    const { thread } = await make('first');
    await fillUp(records, thread.spoonId);
    t.mock.method(git, 'start', async () => ({ state: 'failed', step: 1, code: 'git-failed', extra: {} }));
    for (let tries = 0; tries < 3; tries++) await assert.rejects(make('broken'), withCode('git-failed'));
    t.mock.restoreAll();
    await make('last');
    assert.equal(await records.count('ada'), maxThreadsPerUser);
  });
});
