import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { compareHomes } from './compareHomes.ts';
import { copyHome } from './copyHome.ts';

describe('the copy of a home', () => {
  let folder: string;
  let home: string;
  let copy: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spoon-copy-'));
    [home, copy] = [join(folder, 'home'), join(folder, 'copy')];
    mkdirSync(home);
    mkdirSync(copy);
  });
  afterEach(() => {
    execFileSync('chmod', ['-R', 'u+rwx', folder]);
    rmSync(folder, { recursive: true });
  });
  /** Files are stamped by a clock of the kernel that ticks every few milliseconds. */
  const nextTick = async (sinceMs: number) => {
    await eventually('a later time of change', () => {
      writeFileSync(join(folder, 'clock'), '');
      return lstatSync(join(folder, 'clock')).ctimeMs > sinceMs + 10;
    });
  };

  it('has files, modes, links and folders as they are, and nothing of what was there', async () => {
    mkdirSync(join(home, 'closed'));
    writeFileSync(join(home, 'closed/file'), 'text', { mode: 0o600 });
    chmodSync(join(home, 'closed'), 0o500);
    writeFileSync(join(home, 'run.sh'), 'x', { mode: 0o755 });
    linkSync(join(home, 'run.sh'), join(home, 'twin'));
    symlinkSync('/etc/passwd', join(home, 'out'));
    symlinkSync('nowhere', join(home, '.bash_profile'));
    execFileSync('mkfifo', [join(home, 'pipe')]);
    writeFileSync(join(copy, '.bash_profile'), 'made at its start');
    mkdirSync(join(copy, 'old/er'), { recursive: true });
    const { files, left } = await copyHome(home, copy, 2 ** 30);
    assert.deepEqual([files, left], [5, 1]);
    assert.equal(readFileSync(join(copy, 'closed/file'), 'utf8'), 'text');
    assert.deepEqual(
      ['closed', 'closed/file', 'run.sh'].map((path) => lstatSync(join(copy, path)).mode & 0o7777),
      [0o500, 0o600, 0o755],
    );
    assert.equal(lstatSync(join(copy, 'twin')).ino, lstatSync(join(copy, 'run.sh')).ino);
    assert.deepEqual(
      [readlinkSync(join(copy, 'out')), readlinkSync(join(copy, '.bash_profile'))],
      ['/etc/passwd', 'nowhere'],
    );
    assert.throws(() => lstatSync(join(copy, 'old')));
  });

  it('is refused beyond its limit, with the size and what to do', async () => {
    writeFileSync(join(home, 'large'), Buffer.alloc(3 * 1024 * 1024, 1));
    await assert.rejects(copyHome(home, copy, 1024 * 1024), (error: Error & { code: string }) => {
      assert.equal(error.code, 'home-too-large');
      assert.match(
        error.message,
        /It has [34] MiB, and a test copies at most 1 MiB\. Delete what is large .*SPOON_SCRATCH_MIB/,
      );
      return true;
    });
  });

  it('is refused for a file that is all holes, which the copy would have in full', async () => {
    writeFileSync(join(home, 'vm.img'), '');
    truncateSync(join(home, 'vm.img'), 64 * 1024 * 1024);
    await assert.rejects(copyHome(home, copy, 1024 * 1024), { code: 'home-too-large' });
    assert.throws(() => lstatSync(join(copy, 'vm.img')));
  });

  it('is told apart from the home by what was done to the copy, and not by what was done to the home', async () => {
    mkdirSync(join(home, 'gone/deep'), { recursive: true });
    for (const path of ['same', 'changed', 'mode', 'removed', 'gone/deep/file', 'rewritten']) {
      writeFileSync(join(home, path), path);
    }
    symlinkSync('a', join(home, 'link'));
    for (const folder of ['.spoon', '.ssh']) mkdirSync(join(home, folder), { mode: 0o700 });
    execFileSync('mkfifo', [join(home, 'pipe')]);
    const { endedMs } = await copyHome(home, copy, 2 ** 30);
    await nextTick(endedMs);
    writeFileSync(join(copy, 'changed'), 'CHANGED');
    writeFileSync(join(copy, 'rewritten'), 'rewritten');
    chmodSync(join(copy, 'mode'), 0o755);
    chmodSync(join(copy, '.ssh'), 0o755);
    rmSync(join(copy, 'link'));
    symlinkSync('b', join(copy, 'link'));
    for (const path of ['removed', 'gone']) rmSync(join(copy, path), { recursive: true });
    mkdirSync(join(copy, 'new/deep'), { recursive: true });
    writeFileSync(join(copy, 'new/deep/file'), '');
    writeFileSync(join(copy, '.spoon/env-hash'), '');
    // Meanwhile, in the real home.
    writeFileSync(join(home, 'mine'), '');
    writeFileSync(join(home, 'same'), 'other');
    const { changes, moreChanges } = await compareHomes(home, copy, endedMs);
    assert.deepEqual(
      changes.map(({ path, change }) => `${change} ${path}`),
      [
        'changed .ssh/',
        'changed changed',
        'removed gone/',
        'changed link',
        'changed mode',
        'added new/',
        'removed removed',
      ],
    );
    assert.equal(moreChanges, 0);
  });

  it('names at most a thousand changes, and counts the others', async () => {
    const { endedMs } = await copyHome(home, copy, 2 ** 30);
    await nextTick(endedMs);
    for (let index = 0; index < 1005; index++) writeFileSync(join(copy, `f${index}`), '');
    const { changes, moreChanges } = await compareHomes(home, copy, endedMs);
    assert.deepEqual([changes.length, moreChanges], [1000, 5]);
  });
});
