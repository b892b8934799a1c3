import assert from 'node:assert/strict';
import { afterEach, describe, it, mock } from 'node:test';
import { Value } from 'typebox/value';
import { type JobEnd, JobOutput } from '../../protocol/boxdJobs.ts';
import { maxJobNamesLength } from '../../protocol/limits.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { followJob } from './followJob.ts';
import { JobLog } from './jobLog.ts';
import { plainChanges } from './jobWords.ts';

/** Whatever runs in a box can answer for its daemon. */

const end: JobEnd = { exitCode: 0, signal: null, why: 'by-itself', endedMs: 1, changes: null, notes: [] };

describe('a box that lies about a job', () => {
  afterEach(() => mock.reset());

  it('cannot have numbers stored that the store does not give back', () => {
    const output = { from: 0, totalBytes: 0, end: null };
    assert.ok(Value.Check(JobOutput, { ...output, end }));
    for (const lie of [
      { from: 2 ** 60, totalBytes: 2 ** 60 },
      { totalBytes: Number.MAX_SAFE_INTEGER },
      { end: { ...end, endedMs: 2 ** 60 } },
      { end: { ...end, exitCode: 2 ** 40 } },
      { end: { ...end, exitCode: -1 } },
    ]) {
      assert.ok(!Value.Check(JobOutput, { ...output, ...lie }), JSON.stringify(lie));
    }
  });

  it('cannot have a list of names kept that fills the memory', () => {
    const files = Array.from({ length: 1_000 }, () => ({ path: 'x'.repeat(4096), insertions: 1, deletions: 0 }));
    const changes = {
      ...{ files, fileCount: 1_000, insertions: 1_000, deletions: 0 },
      ...{ commits: [{ id: 'a1', subject: 'One' }], commitCount: 1, diffBytes: 0, diffCut: false },
    };
    const kept = plainChanges({ ...end, changes });
    assert.equal(kept?.files.length, maxJobNamesLength / 4096);
    assert.equal(kept?.fileCount, 1_000);
    assert.deepEqual(kept?.commits, changes.commits);
  });

  /** Follows one that never ends, while each answer takes a minute. */
  async function follow({ timeLeftMs, cancelAfter }: { timeLeftMs: number; cancelAfter: number }) {
    let nowMs = 0;
    let answers = 0;
    mock.method(performance, 'now', () => nowMs);
    const cancel = new AbortController();
    const output = async () => {
      nowMs += 60_000;
      if (++answers === cancelAfter) cancel.abort();
      return { head: { from: 0, totalBytes: 0, end: null }, bytes: Buffer.alloc(0) };
    };
    const box = { boxd: { jobs: { output } }, user: { userId: 'ada' } } as unknown as RunningBox;
    const records = { writeLog: async () => undefined, logPart: async () => undefined };
    const followed = await followJob('job', {
      box,
      boxes: { running: () => box },
      log: new JobLog(records, { userId: 'ada', id: 'job', outputBytes: 0 }, assert.ifError),
      timeLeftMs,
      cancelled: cancel.signal,
      signal: new AbortController().signal,
    });
    return { how: followed.how, answers };
  }

  it('is not waited for once the time of the job is up', async () => {
    assert.deepEqual(await follow({ timeLeftMs: 3 * 60_000, cancelAfter: 0 }), { how: 'overdue', answers: 6 });
  });

  it('is not waited for long after the job was cancelled', async () => {
    assert.deepEqual(await follow({ timeLeftMs: 60 * 60_000, cancelAfter: 2 }), { how: 'overdue', answers: 5 });
  });
});
