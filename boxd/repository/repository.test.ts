import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RepositoryRunState, StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import type { RepositoryRun } from '../../protocol/repository.ts';
import { GitServer } from '../testing/gitServer.ts';
import { publishTag, publishTree, type TestTree } from '../testing/publishTree.ts';
import { TestBox } from '../testing/testBox.ts';

describe('the dotfiles repository in a box', () => {
  let server: GitServer;
  let box: TestBox;
  before(async () => {
    server = await GitServer.start();
    box = await TestBox.start();
    writeFileSync(join(box.folder, 'ca.pem'), server.ca);
  });
  after(async () => {
    await box.stop();
    await server[Symbol.asyncDispose]();
  });

  const request = (name: string, more: Partial<StartRepositoryRun> = {}): StartRepositoryRun => ({
    url: server.url(`${name}.git`),
    ref: null,
    commit: null,
    setup: null,
    manager: null,
    image: 'image:1',
    force: false,
    cloneMs: 20_000,
    setupMs: 20_000,
    ...more,
  });
  const publish = (name: string, tree: TestTree, branch?: string) => publishTree(server, name, tree, branch).commit;
  const post = async (path: string, body: unknown = {}): Promise<RepositoryRunState> => {
    const reply = await box.request('POST', `/v1/repository/${path}`, body);
    assert.equal(reply.status, 200, String(reply.body));
    return reply.json<RepositoryRunState>();
  };
  const untilDone = async (state: RepositoryRunState): Promise<RepositoryRun> => {
    let current = state;
    while (current.run?.state === 'running') {
      current = (await box.request('GET', `/v1/repository/run?step=${current.step}`)).json();
    }
    assert.ok(current.run);
    return current.run;
  };
  const run = async (name: string, more: Partial<StartRepositoryRun> = {}) =>
    untilDone(await post('run', request(name, more)));
  const home = (path: string) => join(box.home, path);
  const read = (path: string) => readFileSync(home(path), 'utf8');
  const log = async () => String((await box.request('GET', '/v1/repository/log')).body);

  it('is cloned and set up once, and again exactly once for each input that changed', async () => {
    const script = (word: string) => `#!/bin/bash\necho ${word} $SPOON $SPOON_HOME\necho run >> ~/runs\n`;
    const commit = publish('inputs', { 'install.sh': script('one'), 'other.sh': script('other') });
    const first = await run('inputs');
    assert.deepEqual([first.state, first.commit, first.script], ['ok', commit, 'install.sh'], await log());
    assert.match(await log(), new RegExp(`one 1 ${box.home}`));
    const runs = () => read('runs').split('\n').length - 1;
    assert.equal(runs(), 1);
    const again = async (more: Partial<StartRepositoryRun>) => {
      const changed = await post('run', request('inputs', { commit, ...more }));
      assert.equal(changed.upToDate, false, JSON.stringify(more));
      assert.equal((await untilDone(changed)).state, 'ok', await log());
      const before = runs();
      for (let start = 0; start < 3; start++) {
        assert.equal((await post('run', request('inputs', { commit, ...more }))).upToDate, true);
      }
      assert.equal(runs(), before);
    };
    for (let start = 0; start < 20; start++)
      assert.equal((await post('run', request('inputs', { commit }))).upToDate, true);
    assert.equal(runs(), 1);
    await again({ image: 'image:2' });
    await again({ image: 'image:2', setup: 'other.sh' });
    assert.equal(runs(), 3);
    const next = publish('inputs', { 'install.sh': script('two'), 'other.sh': script('other') });
    await again({ image: 'image:2', commit: next });
    assert.match(await log(), /two 1/);
    assert.equal(runs(), 4);
    publish('inputs2', { 'install.sh': script('moved') });
    const moved = await run('inputs2');
    assert.equal(moved.state, 'ok');
    assert.match(moved.notes.join(), /What was at ~\/\.dotfiles is at ~\/\.spoon\/backup\//);
  });

  it('runs a failed setup again at the next start', async () => {
    const commit = publish('fails', { setup: '#!/bin/sh\necho no\nexit 3\n' });
    const failed = await run('fails');
    assert.equal(failed.state, 'failed');
    assert.deepEqual(
      failed.stages.map(({ name, state, exitCode }) => [name, state, exitCode]),
      [
        ['repository', 'ok', undefined],
        ['setup', 'failed', 3],
      ],
    );
    assert.equal((await post('run', request('fails', { commit }))).upToDate, false);
    await untilDone(await post('cancel'));
  });

  it('keeps local edits and commits as a branch before it takes an update', async () => {
    publish('edited', { '.vimrc': 'one\n', 'install.sh': 'true\n' });
    await run('edited');
    writeFileSync(home('.dotfiles/.vimrc'), 'mine\n');
    writeFileSync(home('.dotfiles/new'), 'new\n');
    const commit = publish('edited', { '.vimrc': 'two\n', 'install.sh': 'true\n' });
    const updated = await run('edited', { commit });
    assert.equal(updated.state, 'ok', await log());
    assert.equal(read('.dotfiles/.vimrc'), 'two\n');
    const branch = /branch (spoon\/kept-\w+)\./.exec(updated.notes.join())?.[1];
    assert.ok(branch, updated.notes.join());
    assert.ok(existsSync(home(`.dotfiles/.git/refs/heads/${branch}`)));
  });

  it('links what has no script, and gives back what was in the way', async () => {
    writeFileSync(home('.inputrc'), 'before\n');
    publish('plain', { '.inputrc': 'repo\n', '.config/app/a': 'a\n', 'README.md': '', '.gitignore': '' });
    const done = await run('plain');
    assert.equal(done.state, 'ok', JSON.stringify(done.stages));
    assert.equal(readlinkSync(home('.inputrc')), '.dotfiles/.inputrc');
    assert.equal(read('.config/app/a'), 'a\n');
    assert.ok(!existsSync(home('README.md')) && !existsSync(home('.gitignore')));
    const commit = publish('plain', { '.inputrc': 'repo2\n' });
    assert.equal((await run('plain', { commit })).state, 'ok');
    assert.equal(read('.inputrc'), 'repo2\n');
    assert.ok(!existsSync(home('.config/app')));
    await post('remove');
    assert.equal(read('.inputrc'), 'before\n');
    assert.ok(!existsSync(home('.dotfiles')));
  });

  it('takes a branch, a tag and a commit, and says when there is none', async () => {
    const first = publish('refs', { 'install.sh': 'echo main\n' });
    publishTag(server, 'refs', 'v1');
    const side = publish('refs', { 'install.sh': 'echo side\n' }, 'side');
    for (const [ref, commit] of [
      ['side', side],
      ['v1', first],
      [first, first],
      ['main', first],
    ] as const) {
      const done = await run('refs', { ref });
      assert.deepEqual([done.state, done.commit], ['ok', commit], `${ref}: ${JSON.stringify(done.stages)}`);
    }
    const missing = await run('refs', { ref: 'nowhere' });
    assert.match(missing.stages[0]?.detail ?? '', /no such branch, tag or commit\. There is no nowhere\./);
    const resolved = await box.request('POST', '/v1/repository/resolve', { url: server.url('refs.git'), ref: 'side' });
    assert.deepEqual(resolved.json(), { commit: side });
  });
});
