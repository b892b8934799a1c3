import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { SwitchedDotfiles } from '../../protocol/dotfilesSwitch.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { type Finished, RunningService, type TestUser } from '../runningService.ts';

describe('dotfiles that are turned off as a whole', () => {
  let git: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const dotfiles = async (...args: string[]): Promise<Finished> => {
    const done = await service.spoonctl(ada, ['dotfiles', ...args]);
    assert.equal(done.code, 0, done.stderr);
    return done;
  };
  const turn = async (verb: 'on' | 'off') => JSON.parse((await dotfiles(verb, '--json')).stdout) as SwitchedDotfiles;
  const state = async () => JSON.parse((await dotfiles('repo', 'show', '--json')).stdout) as RepositoryState;
  const setUp = async () => {
    for (;;) {
      const { run } = await state();
      if (run?.state !== 'running') return assert.equal(run?.state, 'ok', JSON.stringify(run));
    }
  };
  const inHome = (script: string) => service.inBox(ada, 'sh', '-c', script);
  const stopBox = async () => assert.equal((await service.spoonctl(ada, ['box', 'stop'])).code, 0);

  it('leave the home as it was: links, what they displaced, what the overlay displaced', async () => {
    const { url } = publishTree(git, 'dots', { '.inputrc': 'repo\n', '.vimrc': 'repo\n', '.config/app/a': 'repo\n' });
    await inHome('echo before > .vimrc; echo before > .inputrc; echo before > .profile');
    await dotfiles('repo', 'set', url);
    // On top of a link of the repository, which displaced a file itself.
    await service.put(ada, '.vimrc', 'spoon\n');
    await service.put(ada, '.profile', 'spoon\n');
    await service.put(ada, '.edited', 'spoon\n');
    assert.equal(await inHome('cat .inputrc .vimrc .profile .config/app/a'), 'repo\nspoon\nspoon\nrepo');
    await inHome('echo hand > .edited');

    const off = await dotfiles('off');
    assert.match(off.stdout, /2 dotfiles of Spoon taken out.*in the place of 2 of them/);
    assert.match(off.stdout, /stayed in your home.*\n {2}\.edited$/m);
    assert.equal(
      await inHome('cat .inputrc .vimrc .profile .edited; ls -A .config 2>/dev/null; true'),
      'before\nbefore\nbefore\nhand',
    );
  });

  it('are off once, whoever says it again; are edited meanwhile, and refuse what would apply them', async () => {
    assert.deepEqual(await turn('off'), {
      on: false,
      applied: true,
      takenOut: { removed: 2, restored: 2, kept: ['.edited'] },
      setup: 'none',
    });
    await service.put(ada, '.new', 'spoon\n');
    assert.match((await dotfiles('put', '.newer', '--from', '/dev/null')).stdout, /turned off.*spoonctl dotfiles on/);
    assert.equal(await inHome('ls -d .new .newer 2>/dev/null; echo none'), 'none');
    for (const verb of [['apply'], ['repo', 'run'], ['repo', 'test'], ['repo', 'update'], ['repo', 'preview']]) {
      const refused = await service.spoonctl(ada, ['dotfiles', ...verb]);
      assert.equal(refused.code, 5, `${verb.join(' ')}: ${refused.stdout}${refused.stderr}`);
      assert.match(refused.stderr, /turned off.*spoonctl dotfiles on/);
    }
    assert.match((await service.spoonctl(ada, ['status'])).stdout, /^Dotfiles +5, turned off/m);
  });

  it('stay off over restarts of box and service, and are all there when they are on again', async () => {
    await stopBox();
    await service.kill('SIGKILL');
    await service.launch();
    assert.equal(await inHome('cat .vimrc; ls -d .new 2>/dev/null; echo none'), 'before\nnone');
    const on = await turn('on');
    assert.deepEqual(on, { on: true, applied: true, setup: 'begun' });
    await setUp();
    assert.equal(await inHome('cat .inputrc .vimrc .profile .new .edited'), 'repo\nspoon\nspoon\nspoon\nspoon');
    // What was changed by hand is a version, as always.
    assert.match((await dotfiles('history', '.edited')).stdout, /drift/);
    assert.deepEqual(await turn('on'), { on: true, applied: true, setup: 'none' });
  });

  it('end a setup that is under way', async () => {
    const { url } = publishTree(git, 'slow', { 'install.sh': 'echo slow > ~/.slow; sleep 1000' });
    await dotfiles('repo', 'set', url, '--no-wait');
    for (let run = (await state()).run; run?.stages[1]?.state !== 'running'; run = (await state()).run) {
      assert.notEqual(run?.state, 'failed', JSON.stringify(run));
    }
    const off = await turn('off');
    assert.deepEqual([off.on, off.applied, off.setup], [false, true, 'cancelled']);
    assert.equal(await inHome('cat .vimrc; pgrep -x sleep || echo ended'), 'before\nended');
    assert.equal((await state()).settings?.enabled, true, 'the repository is chosen as before');
  });

  it('are turned off and on while the box is stopped, and then say that its next start does it', async () => {
    await dotfiles('repo', 'rm');
    await turn('on');
    await stopBox();
    assert.match((await dotfiles('off')).stdout, /off too: its home is given back at its next start/);
    assert.equal(await inHome('cat .vimrc'), 'before');
    const later = await turn('off');
    assert.deepEqual([later.applied, later.takenOut?.restored], [true, 3]);
    await stopBox();
    assert.match((await dotfiles('on')).stdout, /gets them at its next start/);
    assert.equal(await inHome('cat .vimrc'), 'spoon');
  });
});
