import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { safeJson, safeLine, safeText } from './safeText.ts';

describe('safeText', () => {
  const rows: [string, string][] = [
    ['plain ünïcode 日本 🥄', 'plain ünïcode 日本 🥄'],
    ['\u001b]0;title\u0007', '\\x1b]0;title\\x07'],
    ['\u001b]52;c;ZXZpbA==\u001b\\', '\\x1b]52;c;ZXZpbA==\\x1b\\'],
    ['\u009b2J', '\\x9b2J'],
    ['a\rb\tc', 'a\\rb\\tc'],
    ['x\u202etxt.exe', 'x\\u202etxt.exe'],
    ['two\nlines', 'two\nlines'],
  ];
  for (const [text, expected] of rows) {
    it(`shows ${JSON.stringify(text)}`, () => assert.equal(safeText(text), expected));
  }

  it('leaves nothing that acts on a terminal, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(safeLine(text), /[\p{Cc}\p{Bidi_Control}]/u);
        const json = safeJson({ text });
        assert.doesNotMatch(json, /[\p{Cc}\p{Bidi_Control}]/u);
        assert.deepEqual(JSON.parse(json), { text });
      }),
    );
  });
});
