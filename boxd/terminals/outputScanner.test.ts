import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OutputScanner } from './outputScanner.ts';

function titleOf(...chunks: string[]): string {
  const scanner = new OutputScanner();
  for (const chunk of chunks) scanner.scan(Buffer.from(chunk));
  return scanner.title;
}

describe('OutputScanner', () => {
  const cases: [string, string, string][] = [
    ['OSC 0 with BEL', '\x1b]0;ada@box: ~\x07$ ', 'ada@box: ~'],
    ['OSC 2 with ST', 'a\x1b]2;vim\x1b\\b', 'vim'],
    ['the last one wins', '\x1b]0;one\x07\x1b]0;two\x07', 'two'],
    ['other commands', '\x1b]8;;http://x\x07\x1b]52;c;aGk=\x07\x1b]1;icon\x07', ''],
    ['control characters and newlines', '\x1b]0;a\nb\tc\x9bd\u202ee\x07', 'abcde'],
    ['never finished', '\x1b]0;half', ''],
    ['broken off by another sequence', '\x1b]0;half\x1b[0m\x1b]0;whole\x07', 'whole'],
    ['cancelled', '\x1b]0;half\x18text\x07', ''],
    ['longer than any title', `\x1b]0;${'x'.repeat(5_000)}\x07`, ''],
    ['cut to 200 letters', `\x1b]0;${'é'.repeat(300)}\x07`, 'é'.repeat(200)],
    ['not UTF-8', `\x1b]0;a${String.fromCharCode(0xdc00)}b\x07`, 'ab'],
  ];
  for (const [name, stream, title] of cases) it(name, () => assert.equal(titleOf(stream), title));

  const modes: [string, string, string, boolean][] = [
    ['nothing', 'text\x1b[31mred\x1b[0m\x1b[5;3H', '', false],
    [
      'modes that differ from how they begin',
      '\x1b[?1h\x1b[?25l\x1b[?7l\x1b[?2004h',
      '\x1b[?1h\x1b[?25l\x1b[?7l\x1b[?2004h',
      false,
    ],
    ['modes that are back', '\x1b[?25l\x1b[?2004h\x1b[?25h\x1b[?2004l', '', false],
    ['several at once', '\x1b[?1002;1006h', '\x1b[?1002h\x1b[?1006h', false],
    ['keypad and cursor', '\x1b=\x1b[4 q', '\x1b=\x1b[4 q', false],
    ['modes that are not kept', '\x1b[?2026h\x1b[?12h\x1b[4h\x1b[?99999999999h', '', false],
    ['the other screen', '\x1b[?1049h', '', true],
    ['the other screen and back', '\x1b[?47h\x1b[?1049l', '', false],
    ['a reset', '\x1b[?1049h\x1b[?1h\x1b=\x1b[2 q\x1bc', '', false],
    ['no sequence', 'abc[?1h\x1b]0;[?1h\x07', '', false],
  ];
  for (const [name, stream, sequences, alternate] of modes) {
    it(`follows ${name}`, () => {
      const scanner = new OutputScanner();
      for (const byte of Buffer.from(stream)) scanner.scan(Buffer.of(byte));
      assert.equal(scanner.modeSequences, sequences);
      assert.equal(scanner.alternateScreen, alternate);
    });
  }

  it('finds the same however the stream is cut', () => {
    const part = fc.constantFrom('\x1b', ']', '0', '2', ';', 'abc', '\x07', '\\', 'é', '\x18', '[0m', '\x1b]0;t\x07');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.nat(), (parts, at) => {
        const bytes = Buffer.from(parts.join(''));
        const cutAt = bytes.length === 0 ? 0 : at % bytes.length;
        const scanner = new OutputScanner();
        scanner.scan(bytes.subarray(0, cutAt));
        scanner.scan(bytes.subarray(cutAt));
        assert.equal(scanner.title, titleOf(parts.join('')));
      }),
    );
  });
});
