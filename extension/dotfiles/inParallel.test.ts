import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inParallel } from './inParallel.ts';

describe('inParallel', () => {
  it('does all of it, never more at once than it may', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await inParallel(
      Array.from({ length: 20 }, (_, index) => index),
      3,
      async (item) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        done.push(item);
      },
    );
    assert.equal(done.length, 20);
    assert.equal(most, 3);
  });

  it('takes nothing new after a failure, and rejects with the first when the rest has ended', async () => {
    const started: number[] = [];
    const ended: number[] = [];
    const work = inParallel([0, 1, 2, 3, 4], 2, async (item) => {
      started.push(item);
      await new Promise((resolve) => setImmediate(resolve));
      if (item === 0) throw new Error('no');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
    });
    await assert.rejects(work, /no/);
    assert.deepEqual([started, ended], [[0, 1], [1]]);
  });
});
