import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { TestRepository } from './testRepository.fixture.ts';

/** A real file system without room: what was there stays, and there is a way on. */
describe('the repository of a home that is full', () => {
  let at: TestRepository;
  let home: string;
  before(async () => {
    at = await TestRepository.start({
      prepare: (path) => {
        home = path;
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'tmpfs', path]);
      },
    });
  });
  after(() => at.dispose(() => execFileSync('umount', [home])));

  const fill = () => {
    const fd = openSync(at.home('ballast'), 'w');
    try {
      for (;;) writeSync(fd, Buffer.alloc(4096, 'x'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    } finally {
      closeSync(fd);
    }
  };
  const opens = async (id: string) => {
    assert.equal((await at.box.openTerminal({ id })).status, 200, 'a terminal opens');
    assert.equal((await at.box.request('DELETE', `/v1/terminals/${id}`)).status, 204);
  };
  const leftOver = () => readdirSync(at.home('.spoon')).filter((name) => name.startsWith('clone-'));

  it('is not cloned, and leaves nothing behind', async () => {
    at.publish('dots', { '.rc': 'one\n' });
    fill();
    const run = await at.run('dots');
    assert.equal(run.state, 'failed', JSON.stringify(run));
    assert.match(run.stages[0]?.detail ?? '', /full|room/i, JSON.stringify(run) + at.box.errors);
    assert.ok(!existsSync(at.home('.dotfiles')));
    assert.deepEqual(leftOver(), []);
    await opens('t1');
  });

  it('is cloned once there is room', async () => {
    rmSync(at.home('ballast'));
    assert.equal((await at.run('dots')).state, 'ok');
    assert.equal(at.read('.rc'), 'one\n');
  });

  it('stays at its commit where an update finds no room, and is not taken for done', async () => {
    const commit = at.publish('dots', { '.rc': 'two\n', big: 'y'.repeat(1024 * 1024) });
    fill();
    const run = await at.run('dots', { commit });
    assert.equal(run.state, 'failed', JSON.stringify(run));
    assert.match(run.stages.at(-1)?.detail ?? '', /full|room/i);
    await opens('t2');
    rmSync(at.home('ballast'));
    const again = await at.post('run', at.request('dots', { commit }));
    assert.equal(again.upToDate, false);
    assert.equal((await at.watch(again)).state, 'ok');
    assert.equal(at.read('.rc'), 'two\n');
  });

  it('has a setup that fills it told with its exit code, and its mark is not written', async () => {
    const commit = at.publish('fills', { 'install.sh': 'set -e\nhead -c 8000000 /dev/zero > ~/ballast' });
    const run = await at.run('fills', { commit });
    assert.equal(run.state, 'failed');
    assert.match(await at.log(), /No space left on device/);
    await opens('t3');
    rmSync(at.home('ballast'));
    assert.equal((await at.post('run', at.request('fills', { commit }))).upToDate, false);
    await at.post('cancel');
  });
});
