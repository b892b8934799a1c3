import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logLinks } from './logLinks.ts';

describe('links in the log of a setup', () => {
  const cases: [text: string, path: string | undefined, line: number][] = [
    ['./install.sh: line 7: nope: command not found', '.dotfiles/install.sh', 7],
    ['/home/ada/.dotfiles/script/setup: line 12: x', '.dotfiles/script/setup', 12],
    ['~/.vimrc:3: error', '.vimrc', 3],
    ['lib/common.sh:42 failed', '.dotfiles/lib/common.sh', 42],
    ['at /etc/passwd:1', undefined, 0],
    ['../../outside.sh: line 1', undefined, 0],
    ['12:30:45 started', undefined, 0],
    ['nothing here', undefined, 0],
  ];
  for (const [text, path, line] of cases) {
    it(JSON.stringify(text), () => {
      const [link] = logLinks(text, '/home/ada');
      assert.deepEqual(link && [link.path, link.line], path === undefined ? undefined : [path, line]);
    });
  }

  it('are found in time in whatever a repository prints', { timeout: 60_000 }, () => {
    for (const text of ['a', 'a/', '.', ':1', 'a:1', ': line ']) logLinks(text.repeat(200_000), '/home/ada');
  });

  it('cover what they speak of, once', () => {
    const links = logLinks('a ./x.sh: line 7: y', '/home/ada');
    assert.deepEqual(
      links.map(({ start, end }) => [start, end]),
      [[2, 16]],
    );
  });
});
