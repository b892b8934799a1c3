import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InTurn } from './inTurn.ts';

describe('InTurn', () => {
  it('runs work of one key in order, also past one that failed', async () => {
    const turns = new InTurn();
    const seen: number[] = [];
    const work = (count: number) =>
      turns.run('ada', async () => {
        await new Promise(setImmediate);
        seen.push(count);
        if (count === 1) throw new Error('of this one only');
        return count;
      });
    const results = await Promise.allSettled([work(0), work(1), work(2)]);
    assert.deepEqual(seen, [0, 1, 2]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
  });

  it('lets other keys go ahead', async () => {
    const turns = new InTurn();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const slow = turns.run('ada', () => held);
    assert.equal(await turns.run('grace', async () => 'done'), 'done');
    release();
    await slow;
  });
});
