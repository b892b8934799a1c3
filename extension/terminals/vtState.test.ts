import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VtState } from './vtState.ts';

const open: [name: string, text: string][] = [
  ['a lone escape', 'x\x1b'],
  ['a control sequence without its final byte', 'x\x1b[38;2;1'],
  ['the 8-bit introducer', 'x\u009b1'],
  ['an operating system command', 'x\x1b]8;;https://example.org'],
  ['a device control string', 'x\x1bPq#0;2'],
  ['a device control string with a bell inside, which does not end it', 'x\x1bPq\x07'],
  ['an application program command', 'x\x1b_G'],
  ['a charset choice', 'x\x1b('],
];

const closed: [name: string, text: string, safe: number][] = [
  ['plain text', 'abc', -1],
  ['text after a line feed', 'ab\ncd', 3],
  ['colours', 'a\x1b[31mb', 6],
  ['a line feed inside a control sequence', 'a\x1b[3\n1mb', 7],
  ['a link, ended by a bell', '\x1b]8;;x\x07y', 7],
  ['a link, ended by ST', '\x1b]8;;x\x1b\\y', 8],
  ['a string that a cancel ends', '\x1bPabc\x18d', 6],
  ['a charset choice', '\x1b(Bx', 3],
  ['letters beyond ASCII', '──漢🥄', -1],
];

describe('VtState', () => {
  for (const [name, text] of open) {
    it(`knows that ${name} is not finished`, () => {
      const state = new VtState();
      state.feed(text);
      assert.equal(state.isGround, false);
    });
  }
  for (const [name, text, safe] of closed) {
    it(`finds the safe place in ${name}`, () => {
      const state = new VtState();
      assert.equal(state.feed(text), safe);
      assert.equal(state.isGround, true);
    });
  }

  it('follows the alternate screen', () => {
    const state = new VtState();
    state.feed('\x1b[?1049h');
    assert.equal(state.isOnAlternateScreen, true);
    state.feed('\x1b[?25l\x1b[?1;1049l');
    assert.equal(state.isOnAlternateScreen, false);
    state.feed('\x1b[?47h\x1bc');
    assert.equal(state.isOnAlternateScreen, false);
  });

  it('comes to the same state however the output is cut', () => {
    const piece = fc.constantFrom(
      'a',
      '─',
      '\n',
      '\x1b',
      '[',
      '?',
      '1049',
      'h',
      ']',
      'P',
      '\x07',
      '\\',
      '\x18',
      'm',
      '(',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(), (pieces, cut) => {
        const text = pieces.join('');
        const at = cut % (text.length + 1);
        const [whole, parts] = [new VtState(), new VtState()];
        const safeWhole = whole.feed(text);
        const first = parts.feed(text.slice(0, at));
        const second = parts.feed(text.slice(at));
        assert.equal(parts.isGround, whole.isGround);
        assert.equal(parts.isOnAlternateScreen, whole.isOnAlternateScreen);
        assert.equal(second === -1 ? first : second + at, safeWhole);
      }),
    );
  });
});
