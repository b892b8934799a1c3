import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TestRepository } from './testRepository.fixture.ts';

const starts = 50;
/** What it may add to opening a terminal. */
const limitMs = 30;

describe('a dotfiles repository with nothing changed', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  it(`adds at most ${limitMs} ms to a start`, async () => {
    const commit = at.publish('same', { 'install.sh': `echo set up\n${'# a comment\n'.repeat(5_000)}` });
    assert.equal((await at.run('same', { commit })).state, 'ok');
    const times: number[] = [];
    for (let start = 0; start < starts; start++) {
      const before = performance.now();
      assert.equal((await at.post('run', at.request('same', { commit }))).upToDate, true);
      times.push(performance.now() - before);
    }
    const median = times.sort((a, b) => a - b)[starts / 2] ?? Number.POSITIVE_INFINITY;
    assert.ok(median <= limitMs, `${median} ms`);
  });
});
