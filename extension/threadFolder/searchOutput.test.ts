import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { characterOf, listFilesCommand, parseMatch, searchCommand } from './searchOutput.ts';

describe('searching a thread', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spoon-search-'));
    mkdirSync(join(folder, 'src'));
    mkdirSync(join(folder, '.git'));
    writeFileSync(join(folder, 'src/a.ts'), 'const x = 1;\nÄ Needle(1) here\n');
    writeFileSync(join(folder, '.git/b'), 'needle\n');
    writeFileSync(join(folder, '.env'), 'needle=$(touch pwned)\n');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** With the tools of this machine, whichever it has. */
  function search(typed: string): string[] {
    const [program = '', ...args] = searchCommand(typed);
    try {
      const output = execFileSync(program, args, { cwd: folder, encoding: 'utf8' });
      return output
        .split('\n')
        .map(parseMatch)
        .filter((match) => match !== undefined)
        .map(({ path, line, text }) => `${path}:${line} ${text}`)
        .sort();
    } catch (error) {
      assert.equal((error as { status: number }).status, 1);
      return [];
    }
  }

  it('finds text as it stands, in any case, hidden files too, not in .git', () => {
    assert.deepEqual(search('needle'), ['.env:1 needle=$(touch pwned)', 'src/a.ts:2 Ä Needle(1) here']);
    assert.deepEqual(search('Needle(1)'), ['src/a.ts:2 Ä Needle(1) here']);
    assert.deepEqual(search('nothing like it'), []);
  });

  it('finds regular expressions between slashes', () => {
    assert.deepEqual(search('/need.e[=(]/'), ['.env:1 needle=$(touch pwned)', 'src/a.ts:2 Ä Needle(1) here']);
  });

  it('takes nothing typed for an option or for shell', () => {
    for (const typed of ['--files', '$(touch pwned2)', "'; touch pwned2; '", '-e x', '/[/']) {
      try {
        search(typed);
      } catch (error) {
        // A pattern that cannot be read.
        assert.match(String(error), /status|2/);
      }
    }
    const files = execFileSync('ls', ['-A', folder], { encoding: 'utf8' });
    assert.doesNotMatch(files, /pwned/);
  });

  it('counts columns in characters and not in bytes', () => {
    assert.equal(characterOf('Ä Needle', 4), 2);
    assert.equal(characterOf('Needle', 1), 0);
    assert.equal(parseMatch('rg: something is wrong'), undefined);
    assert.deepEqual(parseMatch('./a\0b:1'), undefined);
    assert.deepEqual(parseMatch('./a:b\x003:5:x:y'), { path: 'a:b', line: 3, column: 5, text: 'x:y' });
  });

  it('lists files without those of .git', () => {
    const [program = '', ...args] = listFilesCommand;
    const files = execFileSync(program, args, { cwd: folder, encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(files.map((file) => file.replace(/^\.\//, '')).sort(), ['.env', 'src/a.ts']);
  });
});
