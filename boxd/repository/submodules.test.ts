import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import { git } from '../testing/gitServer.ts';
import { linkSubmodules } from '../testing/publishTree.ts';
import { TestRepository } from './testRepository.fixture.ts';

describe('submodules of the dotfiles repository', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  const link = (name: string, modules: Parameters<typeof linkSubmodules>[2]) =>
    linkSubmodules(at.server, name, modules);
  const on = (more: Partial<StartRepositoryRun> = {}) => ({
    submodules: true,
    gitHosts: [at.server.host],
    ...more,
  });
  const count = '#!/bin/sh\necho run >> ~/runs\n';

  it('are told in one line of the log and left alone until they are switched on, which runs the setup once more', async () => {
    const inner = at.publish('inner', { deep: 'deep\n' });
    const commit = at.publish('plugin', { 'init.vim': 'one\n' });
    const plugin = link('plugin', { in: { url: '../inner.git', commit: inner } });
    assert.notEqual(plugin, commit);
    at.publish('dots', { 'install.sh': count });
    const head = link('dots', { 'vim/plugin': { url: at.server.url('plugin.git'), commit: plugin } });
    const off = await at.run('dots', { commit: head });
    assert.equal(off.state, 'ok', await at.log());
    assert.match(await at.log(), /^It has submodules \(vim\/plugin\)\. They are not fetched: that is switched off\.$/m);
    assert.ok(!existsSync(at.home('.dotfiles/vim/plugin/init.vim')));
    const preview = await at.box.request('POST', '/v1/repository/preview', at.request('dots', { commit: head }));
    assert.match(String(preview.body), /They are not fetched: that is off/);
    for (const [more, runs] of [
      [on({ commit: head }), 2],
      [{ commit: head }, 3],
      [on({ commit: head }), 4],
    ] as const) {
      const done = await at.run('dots', more);
      assert.equal(done.state, 'ok', await at.log());
      assert.equal((await at.post('run', at.request('dots', more))).upToDate, true);
      assert.equal(at.read('runs').split('\n').length - 1, runs);
    }
    assert.equal(at.read('.dotfiles/vim/plugin/init.vim'), 'one\n');
    assert.equal(at.read('.dotfiles/vim/plugin/in/deep'), 'deep\n', 'relative, and one inside of the other');
    assert.equal(git(at.home('.dotfiles'), 'status', '--porcelain'), '');
  });

  it('follow the commit, from another address too, and keep what was changed in them', async () => {
    writeFileSync(at.home('.dotfiles/vim/plugin/init.vim'), 'mine\n');
    const plugin = at.publish('plugin2', { 'init.vim': 'two\n' });
    const head = link('dots', { 'vim/plugin': { url: '../plugin2', commit: plugin } });
    const done = await at.run('dots', on({ commit: head }));
    assert.equal(done.state, 'ok', await at.log());
    assert.equal(at.read('.dotfiles/vim/plugin/init.vim'), 'two\n');
    const branch = /vim\/plugin: (spoon\/kept-\w+)/.exec(done.notes.join())?.[1];
    assert.ok(branch, done.notes.join());
    assert.equal(git(at.home('.dotfiles/vim/plugin'), 'show', `${branch}:init.vim`), 'mine');
  });

  it('come over https from hosts that are allowed, and by no other way', async () => {
    const secret = join(at.server.folder, 'work', 'plugin2');
    const commit = at.publish('plugin2', { x: 'x\n' });
    at.publish('sly', { 'install.sh': 'true\n' });
    for (const [url, why] of [
      [`file://${secret}`, /https/],
      ['ext::sh -c "touch /tmp/x"', /https/],
      ['git@github.com:a/b', /https/],
      ['https://169.254.169.254/latest', /not on the public internet/],
      ['-u./payload', /https|dash|gitmodules/],
    ] as const) {
      const head = link('sly', { mod: { url, commit } });
      const run = await at.run('sly', on({ commit: head, gitHosts: [at.server.host] }));
      assert.equal(run.state, 'failed', url);
      assert.match(run.stages[0]?.detail ?? '', why, url);
      assert.ok(!existsSync(at.home('.dotfiles/mod/x')), url);
    }
    const head = link('sly', { mod: { url: at.server.url('plugin2'), commit } });
    const unlisted = await at.run('sly', on({ commit: head, gitHosts: [] }));
    assert.match(unlisted.stages[0]?.detail ?? '', /mod: .*(?:not on the public internet|Only 443)/);
    assert.equal((await at.run('sly', on({ commit: head }))).state, 'ok', await at.log());
  });

  it('get the token of the repository where they are on its host, and the run says which one failed', async () => {
    const commit = at.publish('closed', { x: 'x\n' });
    at.publish('open', { 'install.sh': 'true\n' });
    const head = link('open', { 'a/mod': { url: '../closed.git', commit } });
    at.server.protect('closed.git', 'git', 'tok-sub');
    const refused = await at.run('open', on({ commit: head }));
    assert.match(refused.stages[0]?.detail ?? '', /A submodule .* could not be fetched\. a\/mod: .*private or missing/);
    const credential = { kind: 'token', host: at.server.host, username: 'git', token: 'tok-sub' } as const;
    const elsewhere = await at.run('open', on({ commit: head, credential: { ...credential, host: 'github.com' } }));
    assert.equal(elsewhere.state, 'failed');
    const done = await at.run('open', on({ commit: head, credential }));
    assert.equal(done.state, 'ok', await at.log());
    assert.equal(at.read('.dotfiles/a/mod/x'), 'x\n');
  });

  it('count to the one limit of the repository', async () => {
    const big = Array.from({ length: 3 }, (_, index) => [`f${index}`, crypto.randomUUID().repeat(20_000)]);
    const commit = at.publish('big', Object.fromEntries(big));
    at.publish('small', { 'install.sh': 'true\n' });
    const head = link('small', { mod: { url: '../big', commit } });
    const tooLarge = await at.run('small', on({ commit: head, maxBytes: 10_000 }));
    assert.match(tooLarge.stages[0]?.detail ?? '', /larger than Spoon fetches/, await at.log());
    assert.equal((await at.run('small', on({ commit: head }))).state, 'ok', await at.log());
    assert.equal(readFileSync(at.home('.dotfiles/mod/f0'), 'utf8').length, 36 * 20_000);
  });

  it('are not written where their small packs hold large files', async () => {
    const mebi = 1024 * 1024;
    const commit = at.publish('zeros', { a: '\0'.repeat(4 * mebi) });
    at.publish('expands', { '.rc': 'one\n' });
    const head = link('expands', { one: { url: '../zeros', commit }, two: { url: '../zeros', commit } });
    const both = await at.run('expands', on({ commit: head, maxBytes: 6 * mebi }));
    assert.match(both.stages[0]?.detail ?? '', /larger than Spoon fetches\. It has more than 6 MiB of files/);
    assert.ok(!existsSync(at.home('.dotfiles/two/a')));
    assert.equal((await at.run('expands', on({ commit: head, maxBytes: 9 * mebi }))).state, 'ok', await at.log());
    assert.equal(readFileSync(at.home('.dotfiles/two/a')).length, 4 * mebi);
  });
});
