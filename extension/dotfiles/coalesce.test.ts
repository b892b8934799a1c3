import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Coalesce } from './coalesce.ts';

describe('Coalesce', () => {
  it('tells the first at once and the rest of a burst together', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const told: (readonly number[])[] = [];
      const burst = new Coalesce<number>(100, (items) => told.push(items));
      for (const item of [1, 2, 3]) burst.add(item);
      assert.deepEqual(told, [[1]]);
      mock.timers.tick(100);
      assert.deepEqual(told, [[1], [2, 3]]);
      burst.add(4);
      mock.timers.tick(100);
      mock.timers.tick(100);
      burst.add(5);
      assert.deepEqual(told, [[1], [2, 3], [4], [5]]);
    } finally {
      mock.timers.reset();
    }
  });

  it('tells nothing of what was there before it was cleared', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const told: (readonly number[])[] = [];
      const burst = new Coalesce<number>(100, (items) => told.push(items));
      burst.add(1);
      burst.add(2);
      burst.clear();
      mock.timers.tick(1000);
      assert.deepEqual(told, [[1]]);
    } finally {
      mock.timers.reset();
    }
  });
});
