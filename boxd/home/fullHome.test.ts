import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TestBox } from '../testing/testBox.ts';

/** A real file system without room, as a box finds it when it starts. */
describe('a box whose home is full', { timeout: 60_000 }, () => {
  let box: TestBox;
  let home: string;
  before(async () => {
    box = await TestBox.start({
      prepare: (path) => {
        home = path;
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', path]);
        fill(join(path, 'ballast'));
      },
    });
  });
  after(() => box.stop({ beforeRemoval: () => execFileSync('umount', [home]) }));

  it('starts, opens a terminal and says what to do', async () => {
    const reply = await box.openTerminal();
    assert.equal(reply.status, 200, String(reply.body));
    const { notes } = reply.json<{ notes: string[] }>();
    assert.deepEqual(notes, ['The disk of your home is full. Delete what is large; spoonctl home usage shows it.']);
    await box.request('DELETE', '/v1/terminals/t1');
  });

  it('says that there is no room for dotfiles, and writes them once there is', async () => {
    const files = [{ path: '.bashrc', bytes: 'x'.repeat(8192) }];
    await assert.rejects(box.apply(files), /507 .*"insufficient-storage".*spoonctl home usage/);
    const usage = await box.request('GET', '/v1/home/usage');
    assert.ok(usage.json<{ disk: { freeBytes: number } }>().disk.freeBytes < 8192);
    rmSync(join(home, 'ballast'));
    const { outcomes } = await box.apply(files);
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      ['written'],
    );
    assert.equal(readFileSync(join(home, '.bashrc'), 'utf8').length, 8192);
  });
});

function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096, 'x'));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
  } finally {
    closeSync(fd);
  }
}
