import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKeepTime } from './keepTime.ts';

const now = new Date(2030, 0, 31, 12, 0);
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).getTime();

describe('until when a box is kept', () => {
  for (const [text, expected] of [
    ['90m', at(2030, 0, 31, 13, 30)],
    ['4h', at(2030, 0, 31, 16, 0)],
    ['1h30m', at(2030, 0, 31, 13, 30)],
    ['2d', at(2030, 1, 2, 12, 0)],
    ['18:30', at(2030, 0, 31, 18, 30)],
    ['9:15', at(2030, 1, 1, 9, 15)],
    ['12:00', at(2030, 1, 1, 12, 0)],
    ['2030-02-01T09:00', at(2030, 1, 1, 9, 0)],
  ] as const) {
    it(`${text}`, () => assert.equal(parseKeepTime(text, now), expected));
  }
  for (const text of ['', '4', 'h', '4x', '4h later', '24:00', '12:60', 'tomorrow', '2030-13-01T09:00', '-4h']) {
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseKeepTime(text, now), { name: 'UsageError' }));
  }
});
