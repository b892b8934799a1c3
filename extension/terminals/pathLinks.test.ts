import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findPaths } from './pathLinks.ts';

const cwd = '/home/ada/Code/api/main';
const links = (line: string) =>
  findPaths(line, cwd, '/home/ada').map(({ start, length, path, line: at, column }) => [
    line.slice(start, start + length),
    path,
    ...(at === undefined ? [] : [at]),
    ...(column === undefined ? [] : [column]),
  ]);

describe('paths in a terminal', () => {
  for (const [line, ...found] of [
    ['src/a.ts:3:5 - error TS2304', ['src/a.ts:3:5', 'Code/api/main/src/a.ts', 3, 5]],
    [
      '  at run (/home/ada/Code/api/main/x.js:10:2)',
      ['/home/ada/Code/api/main/x.js:10:2', 'Code/api/main/x.js', 10, 2],
    ],
    ['see ~/.bashrc, please', ['~/.bashrc', '.bashrc']],
    ['src/a.cs(12,4): warning', ['src/a.cs(12,4)', 'Code/api/main/src/a.cs', 12, 4]],
    ['modified:   ../other/b.go', ['../other/b.go', 'Code/api/other/b.go']],
    ['README.md', ['README.md', 'Code/api/main/README.md']],
    ['--- a/src/x.ts', ['a/src/x.ts', 'Code/api/main/a/src/x.ts']],
    ['https://example.org/a/b.ts is no path'],
    ['/etc/passwd and ../../../../../etc are not in the home'],
    ['nothing to see here'],
    ['done.'],
  ] as [string, ...unknown[]][]) {
    it(JSON.stringify(line), () => assert.deepEqual(links(line), found));
  }

  it('are few in a long line', () => {
    assert.equal(links('a/b '.repeat(200)).length, 8);
  });
});
