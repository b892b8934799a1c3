import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { OutputScanner } from './outputScanner.ts';
import { reportedFolder } from './reportedFolder.ts';

describe('the folder that a shell reports', () => {
  for (const [value, folder] of [
    ['P;Cwd=/home/ada/Code/api/main', '/home/ada/Code/api/main'],
    ['P;Cwd=/home/ada/a\\x3bb\\\\c', '/home/ada/a;b\\c'],
    [`file://${hostname()}/home/ada/a%20b`, '/home/ada/a b'],
    ['file://elsewhere/home/ada', undefined],
    ['file:///tmp', '/tmp'],
    ['P;Cwd=relative', undefined],
    ['P;Cwd=/a\\x0ab', undefined],
    ['P;IsWindows=False', undefined],
    ['A', undefined],
    ['file:///%', undefined],
    ['file:///%e2%82', undefined],
    ['https://box/home', undefined],
    [`P;Cwd=/${'a'.repeat(4096)}`, undefined],
  ] as const) {
    it(`of ${JSON.stringify(value.slice(0, 40))} is ${folder}`, () => assert.equal(reportedFolder(value), folder));
  }

  it('is found in output cut anywhere, and the last one counts', () => {
    const output = Buffer.from(
      '$ \x1b]633;P;Cwd=/one\x07ls\r\n\x1b]633;A\x07\x1b]7;file://localhost/two\x1b\\$ \x1b]633;P;Cwd=no\x07',
    );
    for (let cut = 0; cut <= output.length; cut++) {
      const scanner = new OutputScanner();
      scanner.scan(output.subarray(0, cut));
      scanner.scan(output.subarray(cut));
      assert.equal(scanner.folder, '/two');
      assert.equal(scanner.title, '');
    }
  });
});
