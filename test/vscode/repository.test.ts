import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { packageExtension } from '../../scripts/buildExtension.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// From the address to the log, as a person sees it. One window for all of it.
describe('the dotfiles repository in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let git: GitServer;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-repository-'));
    git = await GitServer.start();
    await writeFile(join(folder, 'ca.pem'), git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: join(folder, 'ca.pem') };
    const [vsix] = await Promise.all([
      packageExtension(join(folder, 'spoon.vsix')),
      RunningService.start({ engine: 'process', environment }).then((started) => {
        service = started;
      }),
    ]);
    user = await service.addUser('Ada Lovelace');
    await service.put(user, '.vimrc', 'set number\n');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    window = await Workbench.open({
      vsix,
      environment: { SPOON_SIGN_IN_FILE: signInFile },
      pictures: process.env.SPOON_TEST_PICTURES,
    });
    await window.showSpoonView();
    await window.row('.vimrc').waitFor();
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const state = async () => (await (await service.fetch(user, '/v1/environment/repository')).json()) as RepositoryState;
  const first = () => window.page.locator('.sidebar .monaco-list-row').first();

  it('is chosen step by step, each checked while it is typed, and trusted before anything runs', async () => {
    publishTree(git, 'ada/dotfiles', {
      'install.sh': 'echo "linking…"; cp bashrc ~/.bashrc; echo done',
      bashrc: 'PS1="ada> "\n',
    });
    await service.inBox(user, 'true');
    await window.command('Spoon: Configure Dotfiles Repository…');
    const { page } = window;
    const input = page.locator('.quick-input-widget input');
    await input.fill('git@github.com:ada/dotfiles');
    await page.locator('.quick-input-message', { hasText: 'https' }).waitFor();
    await window.picture('repository-refused');
    await input.fill(git.url('ada/dotfiles.git'));
    await input.press('Enter');
    await page.locator('.quick-input-message', { hasText: 'Branch, tag' }).waitFor();
    await input.press('Enter');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Its Setup Script' }).waitFor();
    await window.picture('repository-setup');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Its Setup Script' }).click();
    await page.locator('.monaco-dialog-box', { hasText: 'Do you trust this repository' }).waitFor();
    await window.picture('repository-trust');
    await page.locator('.monaco-dialog-box .monaco-button', { hasText: 'Use This Repository' }).click();
    await first()
      .filter({ hasText: /ada\/dotfiles.*set up in/ })
      .waitFor();
    await window.picture('repository-ok');
    assert.equal((await state()).run?.state, 'ok');
  });

  it('shows its log with links', async () => {
    await first().click();
    await window.tab('Dotfiles Setup.log').waitFor();
    await window.page.locator('.view-lines', { hasText: 'linking…' }).waitFor();
    await window.picture('repository-log');
  });

  it('says when a setup failed, what is fine, and what to do', async () => {
    const { commit } = publishTree(git, 'ada/dotfiles', {
      'install.sh': 'echo start\nmkdir x\nnosuchcommand --now\nexit 3\n',
    });
    await window.command('Spoon: Check Dotfiles Repository for Updates');
    await window.pressNotificationButton('moved from', 'Update');
    await first().filter({ hasText: 'setup failed (exit code 3)' }).waitFor();
    assert.equal((await state()).commit, commit);
    await window.picture('repository-failed');
    await window.pressNotificationButton('Terminals open as before', 'Show Log');
    await window.page.locator('.view-lines', { hasText: 'line 3: nosuchcommand' }).waitFor();
    await window.page.locator('.view-lines .detected-link', { hasText: 'install.sh' }).waitFor();
    await window.picture('repository-failed-log');
    assert.equal(await service.inBox(user, 'echo', 'open'), 'open');
  });

  it('can be cancelled while it runs', async () => {
    publishTree(git, 'ada/dotfiles', { 'install.sh': 'echo waiting; sleep 1000' });
    await window.command('Spoon: Check Dotfiles Repository for Updates');
    await window.pressNotificationButton('moved from', 'Update');
    await first().filter({ hasText: 'running its setup' }).waitFor();
    await window.picture('repository-running');
    await window.command('Spoon: Cancel Dotfiles Setup');
    await first().filter({ hasText: 'cancelled' }).waitFor();
  });

  it('keeps nobody waiting in a terminal who presses Enter', async () => {
    publishTree(git, 'ada/slow', { 'install.sh': 'echo waiting; sleep 1000' });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ url: git.url('ada/slow.git') });
    await service.spoonctl(user, ['box', 'stop']);
    const set = await service.fetch(user, '/v1/environment/repository', { method: 'PUT', headers, body });
    assert.equal(set.status, 200);
    await window.command('Spoon: Open Safe Terminal');
    const text = window.page.locator('.xterm-rows', { hasText: 'Press Enter to open' });
    await text.waitFor();
    await window.picture('repository-waiting');
    await window.page.keyboard.press('Enter');
    await window.page.locator('.xterm-rows', { hasText: /ada.safe/ }).waitFor();
    await window.page.keyboard.type('echo arr""ived\n');
    await window.page.locator('.xterm-rows', { hasText: 'arrived' }).waitFor();
    assert.equal((await state()).run?.state, 'running');
    await service.spoonctl(user, ['dotfiles', 'repo', 'cancel']);
  });
});
