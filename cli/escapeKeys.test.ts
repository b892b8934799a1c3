import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Asked, EscapeKeys } from './escapeKeys.ts';

describe('EscapeKeys', () => {
  const rows: [string, string[], string, Asked][] = [
    ['leaves at the very start', ['~.'], '', 'detach'],
    ['leaves after Enter', ['ls\r', '~', '.'], 'ls\r', 'detach'],
    ['drops what comes after', ['\r~.rm'], '\r', 'detach'],
    ['explains', ['\r~?'], '\r', 'help'],
    ['leaves after explaining', ['\r~?', '~.'], '\r', 'detach'],
    ['types one of two', ['\r~~.'], '\r~.', 'nothing'],
    ['keeps a home path', ['~/bin\r'], '~/bin\r', 'nothing'],
    ['keeps a tilde in a line', ['cd ~.'], 'cd ~.', 'nothing'],
    ['keeps the Delete key', ['\r', '\u001b[3~.'], '\r\u001b[3~.', 'nothing'],
    ['keeps other escapes of ssh', ['\r~C'], '\r~C', 'nothing'],
  ];
  for (const [name, chunks, expected, asked] of rows) {
    it(name, () => {
      const keys = new EscapeKeys();
      const answers = chunks.map((chunk) => keys.feed(Buffer.from(chunk)));
      assert.equal(Buffer.concat(answers.map(({ forward }) => forward)).toString(), expected);
      assert.equal(answers.at(-1)?.asked, asked);
    });
  }
});
