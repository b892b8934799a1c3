import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pointerTo, serveLargeFiles } from '../testing/largeFiles.ts';
import { TestRepository } from './testRepository.fixture.ts';

/** Every program of this machine but git-lfs. */
function programsWithout(name: string): string {
  const bin = mkdtempSync(join(tmpdir(), 'spoon-programs-'));
  const seen = new Set([name]);
  for (const place of (process.env.PATH ?? '').split(':')) {
    let programs: string[] = [];
    try {
      programs = readdirSync(place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    for (const program of programs.filter((each) => !seen.has(each))) {
      seen.add(program);
      symlinkSync(join(place, program), join(bin, program));
    }
  }
  return bin;
}

describe('large files of a dotfiles repository, in a box without git-lfs', () => {
  const programs = programsWithout('git-lfs');
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start({ environment: { PATH: programs } });
  });
  after(async () => {
    await at[Symbol.asyncDispose]();
    rmSync(programs, { recursive: true });
  });

  const tree = {
    '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
    'fonts/a.bin': pointerTo('large'),
    'install.sh': 'echo run >> ~/runs\n',
  };

  it('stay pointers while that is off, as one line of the log says', async () => {
    const commit = at.publish('fonts', tree);
    const run = await at.run('fonts', { commit });
    assert.equal(run.state, 'ok', await at.log());
    assert.match(await at.log(), /^It keeps files with Git LFS\. They stay pointers: that is switched off\.$/m);
    assert.equal(at.read('.dotfiles/fonts/a.bin'), pointerTo('large'));
  });

  it('are not given back one by one as pointers', async () => {
    const first = at.publish('one', tree);
    await at.run('one', { commit: first });
    const second = at.publish('one', { ...tree, 'fonts/a.bin': pointerTo('larger') });
    await at.run('one', { commit: second });
    const back = (commit: string, path: string) =>
      at.box.request('POST', '/v1/repository/roll-back-file', { commit, path: `.dotfiles/${path}` });
    const refused = await back(first, 'fonts/a.bin');
    assert.equal(refused.status, 404);
    assert.match(String(refused.body), /Git LFS keeps fonts\/a\.bin, and its content is not in ~\/\.dotfiles/);
    assert.equal(at.read('.dotfiles/fonts/a.bin'), pointerTo('larger'), 'nothing was written');
    assert.match(String((await back(second, 'fonts/a.bin')).body), /like that already/);
    assert.equal((await back(first, 'install.sh')).status, 200);
  });

  it('need git-lfs in the image, and say so', async () => {
    const commit = at.publish('fonts', tree);
    serveLargeFiles(at.server, 'fonts', ['large']);
    const run = await at.run('fonts', { commit, lfs: true });
    assert.equal(run.state, 'failed');
    assert.match(run.stages[0]?.detail ?? '', /There is no git-lfs in the box\. .*Use an image that has git-lfs/);
    const without = at.publish('none', { 'install.sh': 'true\n' });
    assert.equal((await at.run('none', { commit: without, lfs: true })).state, 'ok', 'nothing needs it');
  });
});
