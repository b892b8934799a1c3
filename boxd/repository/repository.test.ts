import assert from 'node:assert/strict';
import { existsSync, readlinkSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import { publishTag } from '../testing/publishTree.ts';
import { TestRepository } from './testRepository.fixture.ts';

describe('the dotfiles repository in a box', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  it('is cloned and set up once, and again exactly once for each input that changed', async () => {
    const script = (word: string) => `#!/bin/bash\necho ${word} $SPOON $SPOON_HOME\necho run >> ~/runs\n`;
    const commit = at.publish('inputs', { 'install.sh': script('one'), 'other.sh': script('other') });
    const first = await at.run('inputs');
    assert.deepEqual([first.state, first.commit, first.script], ['ok', commit, 'install.sh'], await at.log());
    assert.match(await at.log(), new RegExp(`one 1 ${at.box.home}`));
    const runs = () => at.read('runs').split('\n').length - 1;
    assert.equal(runs(), 1);
    const again = async (more: Partial<StartRepositoryRun>) => {
      const changed = await at.post('run', at.request('inputs', { commit, ...more }));
      assert.equal(changed.upToDate, false, JSON.stringify(more));
      assert.equal((await at.watch(changed)).state, 'ok', await at.log());
      const before = runs();
      for (let start = 0; start < 3; start++) {
        assert.equal((await at.post('run', at.request('inputs', { commit, ...more }))).upToDate, true);
      }
      assert.equal(runs(), before);
    };
    for (let start = 0; start < 20; start++)
      assert.equal((await at.post('run', at.request('inputs', { commit }))).upToDate, true);
    assert.equal(runs(), 1);
    await again({ image: 'image:2' });
    await again({ image: 'image:2', setup: 'other.sh' });
    assert.equal(runs(), 3);
    const next = at.publish('inputs', { 'install.sh': script('two'), 'other.sh': script('other') });
    await again({ image: 'image:2', commit: next });
    assert.match(await at.log(), /two 1/);
    assert.equal(runs(), 4);
    at.publish('inputs2', { 'install.sh': script('moved') });
    const moved = await at.run('inputs2');
    assert.equal(moved.state, 'ok');
    assert.match(moved.notes.join(), /What was at ~\/\.dotfiles is at ~\/\.spoon\/backup\//);
  });

  it('runs a failed setup again at the next start', async () => {
    const commit = at.publish('fails', { setup: '#!/bin/sh\necho no\nexit 3\n' });
    const failed = await at.run('fails');
    assert.equal(failed.state, 'failed');
    assert.deepEqual(
      failed.stages.map(({ name, state, exitCode }) => [name, state, exitCode]),
      [
        ['repository', 'ok', undefined],
        ['setup', 'failed', 3],
      ],
    );
    assert.equal((await at.post('run', at.request('fails', { commit }))).upToDate, false);
    await at.watch(await at.post('cancel'));
  });

  it('keeps local edits and commits as a branch before it takes an update', async () => {
    at.publish('edited', { '.vimrc': 'one\n', 'install.sh': 'true\n' });
    await at.run('edited');
    writeFileSync(at.home('.dotfiles/.vimrc'), 'mine\n');
    writeFileSync(at.home('.dotfiles/new'), 'new\n');
    const commit = at.publish('edited', { '.vimrc': 'two\n', 'install.sh': 'true\n' });
    const updated = await at.run('edited', { commit });
    assert.equal(updated.state, 'ok', await at.log());
    assert.equal(at.read('.dotfiles/.vimrc'), 'two\n');
    const branch = /branch (spoon\/kept-\w+)\./.exec(updated.notes.join())?.[1];
    assert.ok(branch, updated.notes.join());
    assert.ok(existsSync(at.home(`.dotfiles/.git/refs/heads/${branch}`)));
  });

  it('links what has no script, and gives back what was in the way', async () => {
    writeFileSync(at.home('.inputrc'), 'before\n');
    at.publish('plain', { '.inputrc': 'repo\n', '.config/app/a': 'a\n', 'README.md': '', '.gitignore': '' });
    const done = await at.run('plain');
    assert.equal(done.state, 'ok', JSON.stringify(done.stages));
    assert.equal(readlinkSync(at.home('.inputrc')), '.dotfiles/.inputrc');
    assert.equal(at.read('.config/app/a'), 'a\n');
    assert.ok(!existsSync(at.home('README.md')) && !existsSync(at.home('.gitignore')));
    const commit = at.publish('plain', { '.inputrc': 'repo2\n' });
    assert.equal((await at.run('plain', { commit })).state, 'ok');
    assert.equal(at.read('.inputrc'), 'repo2\n');
    assert.ok(!existsSync(at.home('.config/app')));
    await at.post('remove');
    assert.equal(at.read('.inputrc'), 'before\n');
    assert.ok(!existsSync(at.home('.dotfiles')));
  });

  it('takes a branch, a tag and a commit, and says when there is none', async () => {
    const first = at.publish('refs', { 'install.sh': 'echo main\n' });
    publishTag(at.server, 'refs', 'v1');
    const side = at.publish('refs', { 'install.sh': 'echo side\n' }, 'side');
    for (const [ref, commit] of [
      ['side', side],
      ['v1', first],
      [first, first],
      ['main', first],
    ] as const) {
      const done = await at.run('refs', { ref });
      assert.deepEqual([done.state, done.commit], ['ok', commit], `${ref}: ${JSON.stringify(done.stages)}`);
    }
    const missing = await at.run('refs', { ref: 'nowhere' });
    assert.match(missing.stages[0]?.detail ?? '', /no such branch, tag or commit\. There is none called "nowhere"\./);
    const resolved = await at.box.request('POST', '/v1/repository/resolve', {
      url: at.server.url('refs.git'),
      ref: 'side',
    });
    assert.deepEqual(resolved.json(), { commit: side });
  });
});
