import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from './commandLine.ts';
import { parsePastTime } from './pastTime.ts';

const nowMs = new Date(2030, 0, 31, 12).getTime();
const parse = (text: string) => parsePastTime(text, nowMs, '--since');

describe('a time that is over', () => {
  it('is so long ago, a day, or a time of a day', () => {
    assert.equal(parse('90m'), nowMs - 90 * 60_000);
    assert.equal(parse('24h'), nowMs - 24 * 3_600_000);
    assert.equal(parse('7d'), nowMs - 7 * 24 * 3_600_000);
    assert.equal(parse('2030-01-30'), new Date(2030, 0, 30).getTime());
    assert.equal(parse('2030-01-30T09:05'), new Date(2030, 0, 30, 9, 5).getTime());
    assert.equal(parse('2030-01-30 09:05:06'), new Date(2030, 0, 30, 9, 5, 6).getTime());
  });

  it('is nothing else', () => {
    for (const wrong of [
      '',
      '7',
      '-7d',
      '7w',
      '1e3h',
      '999999d',
      '2030-02-31',
      '2030-13-01',
      '2030-01-01T24:00',
      '2030-1-1',
      'yesterday',
      '12:00',
    ])
      assert.throws(() => parse(wrong), UsageError, wrong);
  });
});
