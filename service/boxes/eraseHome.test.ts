import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eraseArguments } from './eraseHome.ts';

/** Of one folder. As objects they take several times the memory below. */
const names = 60_000;
const heapMebi = 8;

describe('the script that empties a home', { timeout: 300_000 }, () => {
  let home: string;
  before(() => {
    home = mkdtempSync(join(tmpdir(), 'spoon-erase-'));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  it('needs no more memory for a folder of many names', () => {
    mkdirSync(join(home, 'many'));
    for (let number = 0; number < names; number++) writeFileSync(join(home, 'many', `name-of-a-file-${number}`), '');
    for (let number = 0; number < 500; number++)
      mkdirSync(join(home, 'many', `folder-${number}`, 'in', 'it'), { recursive: true });
    const owner = [process.getuid?.() ?? 0, process.getgid?.() ?? 0] as const;
    const { status, stderr } = spawnSync(
      process.execPath,
      [`--max-old-space-size=${heapMebi}`, ...eraseArguments(...owner)],
      { cwd: home, env: {}, encoding: 'utf8' },
    );
    assert.equal(status, 0, stderr.slice(0, 2000));
    assert.deepEqual(readdirSync(home), []);
  });
});
