import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { findWorkingFolder } from './workingFolder.ts';

describe('findWorkingFolder', () => {
  const base = mkdtempSync(join(tmpdir(), 'spoon-cwd-'));
  const home = join(base, 'home');
  after(() => rmSync(base, { recursive: true }));
  mkdirSync(join(home, 'src', 'a b'), { recursive: true });
  mkdirSync(join(home, 'Code'));
  mkdirSync(join(base, 'outside'));
  writeFileSync(join(home, 'file'), '');
  symlinkSync(join(base, 'outside'), join(home, 'out'));
  symlinkSync('src', join(home, 'in'));
  symlinkSync('loop', join(home, 'loop'));

  const inside: [string, string][] = [
    ['', ''],
    ['~', ''],
    [home, ''],
    ['src', '/src'],
    ['./src/', '/src'],
    ['~/src/a b', '/src/a b'],
    [`${home}/src`, '/src'],
    ['src/../src', '/src'],
    ['in', '/in'],
  ];
  for (const [asked, expected] of inside) {
    it(`starts in ${asked || 'the home'}`, () =>
      assert.deepEqual(findWorkingFolder(home, asked), { path: home + expected }));
  }

  const refused: [string, RegExp][] = [
    ['../../etc', /outside/],
    ['/etc', /outside/],
    [`${home}x`, /outside/],
    ['src/../../outside', /outside/],
    ['nowhere', /does not exist/],
    ['file', /is not a folder/],
    ['file/x', /is not a folder/],
    ['out', /leads out/],
    ['loop', /ELOOP/],
    ['Code/one', /does not exist/],
    [`x${'y'.repeat(300)}`, /ENAMETOOLONG/],
    ['bad\x1b[31mname', /^bad\?\[31mname/],
  ];
  for (const [asked, why] of refused) {
    it(`falls back to the home and says why: ${JSON.stringify(asked.slice(0, 30))}`, () => {
      const { path, note } = findWorkingFolder(home, asked);
      assert.equal(path, home);
      assert.match(note ?? '', why);
    });
  }

  it('makes the folder of a thread', () => {
    assert.deepEqual(findWorkingFolder(home, 'Code/api/feat/x'), { path: `${home}/Code/api/feat/x` });
    assert.ok(existsSync(`${home}/Code/api/feat/x`));
  });

  it('makes no thread folder through a link that leaves the home', () => {
    symlinkSync(join(base, 'outside'), join(home, 'Code', 'evil'));
    assert.match(findWorkingFolder(home, 'Code/evil/main').note ?? '', /leads out of the home/);
    assert.ok(!existsSync(join(base, 'outside', 'main')));
  });
});
