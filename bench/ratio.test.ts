import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compare, spreadOf } from './ratio.ts';

describe('ratio', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
    assert.equal(spreadOf([4, 1, 2, 3]).median, 2.5);
  });

  it('interleaves, drops the first pair, and says whether the goal is met', async () => {
    const order: string[] = [];
    const row = await compare({
      name: 'x',
      reference: 'y',
      goal: 0.5,
      better: 'lower',
      unit: 'ms',
      pairs: 3,
      measureSpoon: async (round) => {
        order.push(`a${round}`);
        return round === 0 ? 1000 : 1;
      },
      measureReference: async (round) => {
        order.push(`b${round}`);
        return 2;
      },
    });
    assert.deepEqual(order, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    assert.equal(row.ratio, 0.5);
    assert.equal(row.met, true);
  });
});
