import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RepositoryRun } from '../../protocol/repository.ts';
import type { BoxUser, RunningBox } from '../boxes/boxes.ts';
import { ScratchTests, type ScratchTestsParts } from './scratchTests.ts';

const userOf = (username: string): BoxUser => ({ userId: username, username, uid: 100_001, shell: '/bin/bash' });
const run: RepositoryRun = {
  ...{
    state: 'running',
    startedMs: 1,
    endedMs: null,
    commit: null,
    script: null,
    stages: [],
    notes: [],
    manager: null,
  },
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await delay(5);
};
const never = new Promise<never>(() => undefined);

/** Tests whose box is in the hands of the setup that is tested: boxd's answers are whatever it likes. */
function testsWith(answers: { watch: () => Promise<unknown>; log?: () => Promise<Uint8Array> }, maxMs = 60_000) {
  const opened: string[] = [];
  const repository = {
    start: async () => ({ step: 1, run }),
    cancel: async () => ({ step: 1, run }),
    log: async () => Buffer.from('said'),
    ...answers,
  };
  const home = { copy: async () => ({ bytes: 1, files: 1, left: 0, endedMs: 1 }), compare: () => never };
  const box = { boxd: { repository, home } } as unknown as RunningBox;
  const parts = {
    boxes: {
      withHome: async ({ username }: BoxUser, work: (home: object) => Promise<unknown>) => {
        opened.push(username);
        return work({ within: (_: object, inside: (box: RunningBox) => Promise<unknown>) => inside(box) });
      },
      isGone: () => true,
    },
    repository: { planFor: async () => ({ isAgreed: false, request: async () => ({}) }) },
    ...{ maxBytes: 1, maxMs, onError: (error: unknown) => assert.fail(String(error)) },
  };
  return { tests: new ScratchTests(parts as unknown as ScratchTestsParts), opened };
}

describe('a test in a scratch box', () => {
  for (const [what, watch] of [
    ['always has news', async () => ({ step: 1, run })],
    ['never answers', () => never],
  ] as const) {
    it(`of a setup whose boxd ${what} ends when it is cancelled, and keeps its log`, async () => {
      const { tests } = testsWith({ watch });
      await tests.start(userOf('ada'), {});
      await until(() => tests.state('ada')?.run?.state === 'running');
      const ended = await tests.cancel('ada');
      assert.deepEqual([ended?.state, ended?.phase, ended?.isRemoved], ['cancelled', 'ended', true]);
      assert.equal(await tests.log('ada'), 'said');
    });

    it(`of a setup whose boxd ${what} ends when its time is over`, async () => {
      const { tests } = testsWith({ watch }, 200);
      await tests.start(userOf('ada'), {});
      await until(() => tests.state('ada')?.phase === 'ended');
      const { state, detail } = tests.state('ada') ?? {};
      assert.deepEqual([state, /^It took longer than/.test(detail ?? '')], ['failed', true]);
    });
  }

  it('ends without the log where boxd does not give it', async () => {
    const { tests } = testsWith({ watch: () => never, log: () => never });
    await tests.start(userOf('ada'), {});
    await until(() => tests.state('ada')?.run?.state === 'running');
    assert.equal((await tests.cancel('ada'))?.state, 'cancelled');
    assert.equal(await tests.log('ada'), '');
  });

  it('is one for each user, however many ask at once, and four in all', async () => {
    const { tests, opened } = testsWith({ watch: () => never });
    const both = await Promise.all([tests.start(userOf('ada'), {}), tests.start(userOf('ada'), {})]);
    assert.equal(both[0].startedMs, both[1].startedMs);
    for (const name of ['bo', 'cy', 'di']) await tests.start(userOf(name), {});
    await assert.rejects(tests.start(userOf('eve'), {}), { code: 'too-many-requests' });
    await until(() => opened.length === 4);
    assert.deepEqual(opened, ['ada', 'bo', 'cy', 'di']);
    await tests.close();
    assert.equal((await tests.start(userOf('eve'), {})).state, 'running');
    await tests.close();
  });
});
