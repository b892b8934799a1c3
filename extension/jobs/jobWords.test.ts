import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Job } from '../../protocol/jobs.ts';
import { changesInWords, durationInWords, endInWords, groupOf, isWorthTelling, stateInWords } from './jobWords.ts';

const job: Job = {
  id: '1',
  thread: 'api/main',
  title: 'do it',
  state: 'running',
  detail: null,
  ahead: null,
  createdMs: 0,
  startedMs: 1_000,
  endedMs: null,
  timeLimitMs: 60_000,
  exitCode: null,
  outputBytes: 0,
  changes: null,
  retryOf: null,
};

describe('the words of a job', () => {
  it('say what it does, and how it ended', () => {
    assert.equal(stateInWords({ ...job, state: 'queued', ahead: 2 }), 'waits, 2 before it');
    assert.equal(stateInWords({ ...job, state: 'queued', ahead: 0 }), 'waits');
    assert.equal(stateInWords({ ...job, state: 'failed', exitCode: 3 }), 'failed, exit code 3');
    const ended: Job = {
      ...job,
      state: 'failed',
      exitCode: 3,
      endedMs: 66_000,
      detail: 'codex ended with exit code 3.',
    };
    assert.equal(
      endInWords(ended),
      'failed, exit code 3 after 1 min 5 s. codex ended with exit code 3. No file was changed.',
    );
    const never: Job = { ...job, state: 'cancelled', startedMs: null, endedMs: 5 };
    assert.equal(endInWords(never), 'cancelled. No file was changed.');
  });

  it('count changes and time', () => {
    const changes = { files: 1, insertions: 12, deletions: 4, commits: 2 };
    assert.equal(changesInWords({ ...job, changes }), '1 file, +12 −4, 2 commits');
    assert.equal(changesInWords({ ...job, changes: { files: 0, insertions: 0, deletions: 0, commits: 0 } }), undefined);
    assert.equal(durationInWords(job, 8_400), '7 s');
    assert.equal(durationInWords(job, 3_700_000 + 1_000), '1 h 1 min');
    assert.equal(durationInWords({ ...job, startedMs: null }, 5), undefined);
  });

  it('group the states, and tell of ends as the setting says', () => {
    assert.deepEqual((['queued', 'starting', 'running', 'cancelling', 'succeeded', 'lost'] as const).map(groupOf), [
      'waiting',
      'running',
      'running',
      'running',
      'ended',
      'ended',
    ]);
    const told = (notify: 'all' | 'failures' | 'none') =>
      (['succeeded', 'failed', 'cancelled', 'timed-out', 'lost'] as const).filter((state) =>
        isWorthTelling({ ...job, state }, notify),
      );
    assert.deepEqual(told('all'), ['succeeded', 'failed', 'timed-out', 'lost']);
    assert.deepEqual(told('failures'), ['failed', 'timed-out', 'lost']);
    assert.deepEqual(told('none'), []);
  });
});
