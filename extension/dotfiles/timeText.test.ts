import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timeText } from './timeText.ts';

describe('timeText', () => {
  const now = Date.UTC(2026, 5, 15, 12);
  const rows: [away: number, text: RegExp][] = [
    [0, /^now$/],
    [-5_000, /^5 seconds ago$/],
    [-60_000, /^1 minute ago$/],
    [-3 * 3_600_000, /^3 hours ago$/],
    [-86_400_000, /^yesterday$/],
    [5 * 86_400_000, /^in 5 days$/],
    [-30 * 86_400_000, /May 16, 2026/],
  ];
  for (const [away, text] of rows) {
    it(`says ${text.source} for ${away} ms`, () => assert.match(timeText(now + away, now, 'en'), text));
  }
});
