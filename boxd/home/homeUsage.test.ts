import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readUsage } from './homeUsage.ts';

const kibi = 1024;

describe('what takes the room in a home', () => {
  const base = mkdtempSync(join(tmpdir(), 'spoon-usage-'));
  const home = join(base, 'home');
  after(() => rmSync(base, { recursive: true }));
  before(() => {
    const put = (path: string, size: number) => {
      mkdirSync(join(home, path, '..'), { recursive: true });
      writeFileSync(join(home, path), Buffer.alloc(size, 'x'));
    };
    put('Code/api/main/node_modules/big', 800 * kibi);
    put('Code/api/main/src/a.ts', 8 * kibi);
    put('.cache/pip/wheel', 400 * kibi);
    put('.cache/go/build', 300 * kibi);
    put('a/b/c/d/e/f/g/deep', 200 * kibi);
    put('small', kibi);
    mkdirSync(join(base, 'outside'));
    writeFileSync(join(base, 'outside', 'huge'), Buffer.alloc(2000 * kibi, 'x'));
    symlinkSync(join(base, 'outside'), join(home, 'link'));
    linkSync(join(home, '.cache/pip/wheel'), join(home, '.cache/pip/again'));
  });

  it('names the largest folders first, and one that is nearly all of another for both', async () => {
    const { folders, files, truncated } = await readUsage(home, 10_000);
    const paths = folders.map(({ path }) => path);
    assert.equal(paths[0], 'Code/api/main/node_modules');
    for (const path of ['.cache', '.cache/go', 'a/b/c/d/e', 'Code/api/main/src']) assert.ok(paths.includes(path), path);
    for (const path of ['Code', 'Code/api', 'Code/api/main', 'a', 'a/b', 'link'])
      assert.ok(!paths.includes(path), path);
    assert.equal(truncated, false);
    // The two names of one file are one; the link is itself.
    assert.equal(files, 7);
  });

  it('counts what is used on the disk, a file of two names once and nothing behind a link', async () => {
    const { usedBytes, folders, disk } = await readUsage(home, 10_000);
    assert.ok(usedBytes > 1_700 * kibi && usedBytes < 2_000 * kibi, String(usedBytes));
    assert.ok((folders[0]?.bytes ?? 0) >= 800 * kibi);
    assert.ok(disk.freeBytes > 0 && disk.freeBytes < disk.sizeBytes);
  });

  it('goes as deep as folders are, beyond what a path can say (row 27)', async () => {
    const deep = join(base, 'deep');
    mkdirSync(deep);
    const levels = Array(500).fill('deep').join('/');
    const digs = 'cd "$0" && for i in 1 2 3 4; do mkdir -p "$1" && cd "$1"; done';
    execFileSync('bash', ['-c', digs, deep, levels]);
    const { truncated } = await readUsage(deep, 60_000);
    assert.equal(truncated, false);
  });

  it('says when the time was not enough', async () => {
    const wide = join(base, 'wide');
    for (let folder = 0; folder < 300; folder++) {
      mkdirSync(join(wide, String(folder)), { recursive: true });
      for (let file = 0; file < 20; file++) writeFileSync(join(wide, String(folder), String(file)), '');
    }
    const { truncated, files } = await readUsage(wide, 0);
    assert.equal(truncated, true);
    assert.ok(files < 6000);
  });
});
