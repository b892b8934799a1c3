import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteRing } from './byteRing.ts';
import { lastLine } from './lastLine.ts';

function lastOf(text: string): string {
  const ring = new ByteRing(16 * 1024);
  ring.write(Buffer.from(text));
  return lastLine(ring);
}

describe('lastLine', () => {
  const cases: [string, string, string][] = [
    ['nothing', '', ''],
    ['a prompt without an end of line', 'built\r\n$ ', '$'],
    ['blank lines after it', 'done\r\n\r\n  \r\n', 'done'],
    ['colours, titles and marks', '\x1b]0;t\x07\x1b]633;A\x07\x1b[1;31mfailed\x1b[0m: 3\x1b[K\r\n', 'failed: 3'],
    ['a line that begins again', 'progress 10%\rprogress 90%\r', 'progress 90%'],
    ['what turns text around', 'a\u202eb\u0007c', 'abc'],
    ['longer than a list wants', 'é'.repeat(300), 'é'.repeat(200)],
    ['more than is looked at', `${'x\r\n'.repeat(4_000)}end`, 'end'],
  ];
  for (const [name, text, line] of cases) it(name, () => assert.equal(lastOf(text), line));
});
