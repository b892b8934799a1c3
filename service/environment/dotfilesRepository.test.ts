import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { RepositoryRunState, StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { RepositoryRun } from '../../protocol/repository.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { SealingBench } from '../secrets/sealing.fixture.ts';
import { withHeldDisk } from '../store/heldDisk.fixture.ts';
import { DotfilesRepository } from './dotfilesRepository.ts';
import { RepositoryCredentials } from './repositoryCredentials.ts';
import { RepositoryRecords } from './repositoryRecords.ts';
import { RunRequests } from './runRequests.ts';

const [first, second] = ['https://github.com/ada/first', 'https://github.com/ada/second'];
const commitOf = new Map([
  [first, 'a'.repeat(40)],
  [second, 'b'.repeat(40)],
]);

function runOf(url: string, state: RepositoryRun['state']): RepositoryRun {
  const [commit, endedMs] = state === 'running' ? [null, null] : [commitOf.get(url) ?? null, 2];
  return { state, startedMs: 1, endedMs, commit, script: null, stages: [], notes: [], manager: null };
}

/** Ada's repository, whose runs end when a test says so, over a store whose disk can be held. */
async function open(t: TestContext) {
  const bench = await SealingBench.open(t);
  const { store, hold } = withHeldDisk(bench.store);
  const records = new RepositoryRecords({ store, keyring: bench.keyring });
  const credentials = new RepositoryCredentials({ records, sealedValues: bench.values, now: () => 1 });
  const answers: ((answer: RepositoryRunState) => void)[] = [];
  const starts: string[] = [];
  const secrets = { environment: {}, secretFiles: {} };
  let secretsOf = async () => secrets;
  let step = 0;
  let url = '';
  const boxd = {
    start: async (request: StartRepositoryRun) => {
      url = request.url;
      starts.push(url);
      return { step: ++step, upToDate: false, run: runOf(url, 'running') };
    },
    watch: () => new Promise<RepositoryRunState>((resolve) => answers.push(resolve)),
    log: async () => Buffer.from(`log of ${url}`),
  };
  const box = { user: { userId: 'ada' }, imageId: 'i', boxd: { repository: boxd } } as unknown as RunningBox;
  const overlays: string[] = [];
  const repository = new DotfilesRepository({
    records,
    credentials,
    requests: new RunRequests({
      credentials,
      secretsFor: () => secretsOf(),
      gitHosts: [],
      ...{ cloneMs: 1, setupMs: 1 },
    }),
    gitHosts: [],
    reachable: () => box,
    tellStages: () => undefined,
    overlay: {
      applyAll: async () => {
        overlays.push(url);
        return [];
      },
    },
    publish: () => undefined,
    onEnded: () => undefined,
    onError: assert.ifError,
  });
  return {
    repository,
    records,
    hold,
    overlays,
    /** What boxd was asked to run. */
    starts,
    /** The next run that begins waits before boxd is asked for it. */
    holdNext: () => {
      const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      secretsOf = async () => {
        secretsOf = async () => secrets;
        begun.resolve();
        await held.promise;
        return secrets;
      };
      return { begun: begun.promise, release: held.resolve };
    },
    /** Until boxd is asked for more, or what follows the end of a run has been done. */
    settled: async () => {
      while (answers.length + overlays.length === 0) await new Promise(setImmediate);
    },
    /** What boxd says next. */
    say: async (answer: Omit<RepositoryRunState, 'upToDate'>) => {
      while (answers.length === 0) await new Promise(setImmediate);
      answers.shift()?.({ ...answer, upToDate: false });
    },
  };
}

describe('a run of a dotfiles repository', () => {
  it('that begins while the end of another is being written is followed, and neither has the commit of the other', async (t) => {
    const { repository, records, hold, overlays, say } = await open(t);
    await repository.set('ada', { url: first });
    const disk = hold();
    await say({ step: 2, run: runOf(first, 'ok') });
    await disk.committed;
    disk.letOthersPass();
    await repository.set('ada', { url: second });
    disk.release();
    while (overlays.length === 0) await new Promise(setImmediate);
    assert.equal((await records.read('ada'))?.commit, null);
    assert.equal((await repository.state('ada')).run?.state, 'running');
    await say({ step: 4, run: runOf(second, 'ok') });
    while ((await repository.state('ada')).run?.commit !== commitOf.get(second)) await new Promise(setImmediate);
    while (overlays.length === 1) await new Promise(setImmediate);
    assert.equal((await records.read('ada'))?.commit, commitOf.get(second));
  });

  it('that another has replaced is not taken for it, however late its box says that it ended', async (t) => {
    const { repository, records, overlays, settled, say } = await open(t);
    await repository.set('ada', { url: first });
    await repository.set('ada', { url: second });
    await say({ step: 1, run: runOf(first, 'cancelled') });
    await settled();
    assert.deepEqual(overlays, []);
    await say({ step: 3, run: runOf(second, 'ok') });
    while (overlays.length === 0) await new Promise(setImmediate);
    assert.equal((await records.read('ada'))?.commit, commitOf.get(second));
  });

  it('that is slow to begin does not come after the one that was chosen later', async (t) => {
    const { repository, records, starts, overlays, holdNext, say } = await open(t);
    const { begun, release } = holdNext();
    const slow = repository.set('ada', { url: first });
    await begun;
    const later = repository.set('ada', { url: second });
    while ((await repository.state('ada')).settings?.url !== second) await new Promise(setImmediate);
    // A turn more for what does not wait.
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    release();
    await Promise.all([slow, later]);
    assert.equal(starts.at(-1), second);
    await say({ step: starts.length + 1, run: runOf(second, 'ok') });
    while (overlays.length === 0) await new Promise(setImmediate);
    assert.equal((await records.read('ada'))?.commit, commitOf.get(second));
  });
});
