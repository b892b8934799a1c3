import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainLog, printedLines, visibleText } from './plainText.ts';

describe('the output of a program as plain text', () => {
  it('has neither colours nor controls, and keeps tabs', () => {
    assert.equal(
      plainLog('\u001b[31mred\u001b[0m\tand\u0007 \u202eturned  \n\u001b]52;c;eA==\u0007end'),
      'red\tand turned\nend',
    );
  });

  it('shows the last form of a line that was written over', () => {
    assert.deepEqual(printedLines('10%\r50%\r100%\r\nnext\r\r\n\r\r\r'), ['100%', 'next', '']);
  });

  it('does not look at every byte from every other, whatever a box prints', { timeout: 60_000 }, () => {
    const megabyte = 1024 * 1024;
    for (const text of ['\r', '\n', '\u001b', '\u001b]', ' ', '\t', 'a']) plainLog(`${text.repeat(megabyte)}x`);
  });
});

describe('a file that is read before it is trusted', () => {
  it('hides nothing: what cannot be shown stands out, and lines stay lines', () => {
    const script = 'rm -rf ~ \r# harmless\r\n\tif\u202e\u001b[8m true\u001b[0m; then\n';
    assert.equal(visibleText(script), 'rm -rf ~ \ufffd# harmless\n\tif\ufffd\ufffd[8m true\ufffd[0m; then\n');
  });
});
