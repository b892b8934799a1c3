import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LoadMeter } from './boxLoad.ts';

describe('the load of a box', () => {
  it('is what it used since the last look, and at the first since its start', () => {
    let nowMs = 10_000;
    const meter = new LoadMeter(() => nowMs);
    const box = { engineId: 'one', startedMs: 0 };
    const load = (cpuSeconds: number, of = box) =>
      meter.measure('ada', of, { cpuSeconds, memoryBytes: 5, processes: 3 }, 100);
    assert.deepEqual(load(5), { cpuPercent: 50, memoryBytes: 5, memoryLimitBytes: 100, processes: 3 });
    nowMs += 1_000;
    assert.equal(load(6.5).cpuPercent, 150);
    nowMs += 100;
    assert.equal(load(6.5).cpuPercent, 150, 'too soon to say anything new');
    nowMs += 900;
    assert.equal(load(6.5).cpuPercent, 0);
    assert.equal(load(1, { engineId: 'two', startedMs: nowMs - 2_000 }).cpuPercent, 50, 'another box begins anew');
  });
});
