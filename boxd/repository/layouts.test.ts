import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { DotfileManager } from '../../protocol/dotfileManagers.ts';
import type { TestTree } from '../testing/publishTree.ts';
import { TestRepository } from './testRepository.fixture.ts';

/** The layouts that people publish, rebuilt: what each does to a home, on the first commit and on the next. */
describe('a public layout', () => {
  let at: TestRepository;
  before(async () => {
    at = await TestRepository.start();
  });
  after(() => at[Symbol.asyncDispose]());

  const applied = async (name: string, tree: TestTree) => {
    const commit = at.publish(name, tree);
    const run = await at.run(name, { commit });
    assert.equal(run.state, 'ok', `${JSON.stringify(run)}\n${await at.log()}`);
    assert.equal((await at.post('run', at.request(name, { commit }))).upToDate, true);
    return run;
  };

  it('flat, with an install script that links', async () => {
    const install =
      '#!/usr/bin/env bash\nset -e\ncd "$(dirname "$0")"\nfor f in bashrc vimrc; do ln -sfn "$PWD/$f" ~/.$f; done\n';
    const tree = {
      install: { text: install, mode: 0o755 },
      bashrc: 'one\n',
      vimrc: 'one\n',
      'README.md': '# dotfiles\n',
    };
    const run = await applied('flat', tree);
    assert.equal(run.script, 'install');
    assert.equal(readFileSync(at.home('.bashrc'), 'utf8'), 'one\n');
    await applied('flat', { ...tree, bashrc: 'two\n' });
    assert.equal(readFileSync(at.home('.bashrc'), 'utf8'), 'two\n');
    assert.equal(readFileSync(at.home('.vimrc'), 'utf8'), 'one\n');
  });

  it('with script/bootstrap, a name of its own kind', async () => {
    const bootstrap =
      '#!/bin/sh\nset -e\ncd "$(dirname "$0")/.."\n. lib/say.sh\nfor f in *.symlink; do say "$f"; ln -sfn "$PWD/$f" "$HOME/.$(basename $f .symlink)"; done\n';
    const tree = {
      'script/bootstrap': { text: bootstrap, mode: 0o755 },
      'lib/say.sh': 'say() { printf "  [ OK ] %s\\n" "$1"; }\n',
      'gitconfig.symlink': '[user]\n\tname = Ada\n',
    };
    const run = await applied('bootstrap', tree);
    assert.equal(run.script, 'script/bootstrap');
    assert.match(await at.log(), /\[ OK \] gitconfig\.symlink/);
    await applied('bootstrap', { ...tree, 'zshrc.symlink': 'z\n' });
    assert.equal(readFileSync(at.home('.zshrc'), 'utf8'), 'z\n');
    assert.match(readFileSync(at.home('.gitconfig'), 'utf8'), /Ada/);
  });

  it('with nothing to run, linked entry by entry and back', async () => {
    writeFileSync(at.home('.tmux.conf'), 'mine\n');
    const tree = { '.tmux.conf': 'one\n', '.config/nvim/init.lua': 'one\n', 'README.md': '', '.github/ci.yml': '' };
    await applied('plain', tree);
    assert.equal(readlinkSync(at.home('.tmux.conf')), '.dotfiles/.tmux.conf');
    assert.ok(!existsSync(at.home('.github')) && !existsSync(at.home('README.md')));
    await applied('plain', { ...tree, '.config/nvim/init.lua': 'two\n', '.tmux.conf': 'two\n' });
    assert.equal(readFileSync(at.home('.config/nvim/init.lua'), 'utf8'), 'two\n');
    const reply = await at.box.request('POST', '/v1/repository/remove', {});
    assert.match(String(reply.body), /\.dotfiles is at/);
    assert.equal(readFileSync(at.home('.tmux.conf'), 'utf8'), 'mine\n');
    assert.ok(!existsSync(at.home('.config/nvim')));
  });

  it('beside folders and files that Spoon keeps: those are left alone', async () => {
    const entry = { path: '.config/app/kept', bytes: 'overlay\n' };
    await at.box.apply([entry, { path: '.editrc', bytes: 'overlay\n' }]);
    await applied('beside', {
      '.config/app/kept': 'repo\n',
      '.config/app/new': 'repo\n',
      '.editrc': 'repo\n',
      '.spoon/x': '',
      'Code/x': '',
    });
    assert.equal(readFileSync(at.home('.config/app/kept'), 'utf8'), 'overlay\n');
    assert.equal(readFileSync(at.home('.config/app/new'), 'utf8'), 'repo\n');
    assert.equal(readFileSync(at.home('.editrc'), 'utf8'), 'overlay\n');
    assert.ok(!existsSync(at.home('.spoon/x')) && !existsSync(at.home('Code/x')));
  });

  const recognised: [DotfileManager, TestTree][] = [
    ['stow', { 'bash/.bashrc': '', 'vim/.vimrc': '', 'nvim/.config/nvim/init.lua': '', 'README.md': '' }],
    ['chezmoi', { dot_bashrc: '', 'private_dot_ssh/config': '', '.chezmoiignore': 'README.md\n' }],
    ['yadm', { '.bashrc': '', '.gitconfig##os.Linux': '', '.config/yadm/bootstrap': '' }],
    ['dotbot', { 'install.conf.yaml': '- link: {}\n', vimrc: '' }],
    ['home-manager', { 'flake.nix': '{ outputs = _: { homeConfigurations.ada = 1; }; }\n', 'home/x.nix': '' }],
  ];
  for (const [manager, tree] of recognised) {
    it(`of ${manager} is recognised, offered its command, and nothing is done unasked`, async () => {
      const commit = at.publish(manager, tree);
      const run = await at.run(manager, { commit });
      assert.deepEqual([run.state, run.manager], ['ok', manager], JSON.stringify(run));
      assert.ok(!existsSync(at.home('.chezmoiignore')));
      // Chosen, it runs; where its program is missing that is said.
      const chosen = await at.run(manager, { commit, manager, setupMs: 15_000 });
      const setup = chosen.stages.at(-1);
      if (chosen.state !== 'ok') assert.match(setup?.detail ?? '', /is not in the box|exit code/);
    });
  }

  it('of a bare repository over the home is checked out over it when that is chosen', async () => {
    const commit = at.publish('bare', { '.gitignore': '.cfg\n', '.hushlogin': 'quiet\n', '.config/mine': '1\n' });
    const run = await at.run('bare', { commit });
    assert.equal(run.manager, 'bare-git');
    const chosen = await at.run('bare', { commit, manager: 'bare-git' });
    assert.equal(chosen.state, 'ok', await at.log());
    assert.equal(readFileSync(at.home('.hushlogin'), 'utf8'), 'quiet\n');
    assert.equal(readFileSync(at.home('.config/mine'), 'utf8'), '1\n');
  });
});
