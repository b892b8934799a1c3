import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromFirstLine, noticeLine, passingLine, withoutReports } from './terminalText.ts';

describe('notices in a terminal', () => {
  it('take everything that a service says for text', () => {
    assert.doesNotMatch(
      noticeLine('a\u001b]0;x\u0007b\u001b[2J')
        .slice(2)
        .replace(/\u001b\[2m|\u001b\[22m/g, ''),
      /\u001b/,
    );
  });

  it('can be taken back without moving what was there', () => {
    const { show, clear } = passingLine('lost', 80);
    assert.match(show, /\u001b7/);
    assert.match(clear, /\u001b8$/);
  });

  it('are cut to the row that is made room for', () => {
    const shown = (columns: number) =>
      / ?\[Spoon\][^\u001b]*/.exec(passingLine('x'.repeat(200), columns).show)?.[0] ?? '';
    assert.equal(shown(80).length, 79);
    assert.ok(shown(80).endsWith('…'));
  });
});

describe('withoutReports', () => {
  const reports = [
    '\x1b[?1;2c',
    '\x1b[>0;276;0c',
    '\x1b[12;40R',
    '\x1b[0n',
    '\x1b[?2026;2$y',
    '\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\',
    '\x1b]10;rgb:ffff/ffff/ffff\x07',
    '\x1bP1$r0m\x1b\\',
  ];
  for (const report of reports) {
    it(`drops ${JSON.stringify(report)}`, () => assert.equal(withoutReports(`a${report}b`), 'ab'));
  }

  for (const key of ['ls\r', '\x1b[A', '\x1b[1;5C', '\x1bOP', '\x1b[200~text\x1b[201~', '\x1bx']) {
    it(`keeps ${JSON.stringify(key)}`, () => assert.equal(withoutReports(key), key));
  }
});

describe('fromFirstLine', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  it('starts after the first line feed', () => assert.deepEqual(fromFirstLine(bytes('31mx\ny\nz')), bytes('y\nz')));
  it('keeps what has no line', () => assert.deepEqual(fromFirstLine(bytes('abc')), bytes('abc')));
});
