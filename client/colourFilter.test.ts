import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ColourFilter } from './colourFilter.ts';

const esc = '\u001b';
const hostile = [
  ['the clipboard', `${esc}]52;c;ZWNobyBoaQ==\u0007`],
  ['the title', `${esc}]0;title${esc}\\`],
  ['a question about the cursor', `${esc}[6n`],
  ['a question about the terminal', `${esc}[c`],
  ['a string for the device', `${esc}P$q"p${esc}\\`],
  ['another screen', `${esc}[?1049h`],
  ['a reset', `${esc}c`],
  ['a bell', '\u0007'],
  ['a control of eight bits', '\u009b6n'],
  ['text that is turned around', '\u202e'],
] as const;

function filter(pieces: readonly Uint8Array[]): string {
  const colours = new ColourFilter();
  return [...pieces, undefined].map((piece) => colours.add(piece)).join('');
}

describe('the output of a job in a terminal', () => {
  it('has its letters, lines and colours', () => {
    const text = `${esc}[1;38;5;208mbüld${esc}[0m\tok\r\n10%\r100%\n🥄`;
    assert.equal(filter([Buffer.from(text)]), text);
  });

  for (const [what, text] of hostile) {
    it(`does not reach ${what}, wherever it is cut`, () => {
      const bytes = Buffer.from(`a${text}b`);
      for (let at = 0; at <= bytes.length; at++) {
        const shown = filter([bytes.subarray(0, at), bytes.subarray(at)]);
        assert.ok(!/\p{Cc}|\u202e/u.test(shown), JSON.stringify(shown));
        assert.ok(shown.startsWith('a') && shown.endsWith('b'));
      }
    });
  }

  it('does not wait for ever for the end of a sequence', { timeout: 60_000 }, () => {
    const colours = new ColourFilter();
    let shown = colours.add(Buffer.from(`${esc}]52;c;`));
    for (let count = 0; count < 200; count++) shown += colours.add(Buffer.from('A'.repeat(1024)));
    assert.ok(shown.length > 190 * 1024);
    assert.ok(!shown.includes(esc));
  });
});
