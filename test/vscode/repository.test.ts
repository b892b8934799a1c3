import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
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
    service = await RunningService.start({ engine: 'process', environment });
    user = await service.addUser('Ada Lovelace');
    await service.put(user, '.vimrc', 'set number\n');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    window = await Workbench.open({
      environment: { SPOON_SIGN_IN_FILE: signInFile },
      pictures: process.env.SPOON_TEST_PICTURES,
    });
    await window.showSpoonView();
    await window.row('.vimrc').waitFor();
    await window.onlyDotfiles();
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const state = async () => (await (await service.fetch(user, '/v1/environment/repository')).json()) as RepositoryState;
  /** The run of another commit before it may still be what there is to see when the commit counts already. */
  const isSetUp = ({ commit, run }: RepositoryState) => run?.state === 'ok' && run.commit === commit;
  const first = () => window.page.locator('.sidebar .monaco-list-row').first();

  it('is chosen step by step, each checked while it is typed, and trusted before anything runs', async () => {
    const { commit } = publishTree(git, 'ada/dotfiles', {
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
    await window.pick('Public');
    await page.locator('.quick-input-message', { hasText: 'Branch, tag' }).waitFor();
    await input.press('Enter');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'Its Setup Script' }).waitFor();
    await window.picture('repository-setup');
    await window.pick('Its Setup Script');
    const dialog = page.locator('.monaco-dialog-box', { hasText: 'Do you trust this repository' });
    await dialog.filter({ hasText: commit }).filter({ hasText: 'It runs install.sh' }).waitFor();
    await window.picture('repository-trust');
    await page.locator('.monaco-dialog-box .monaco-button', { hasText: 'Use This Repository' }).click();
    await first()
      .filter({ hasText: /ada\/dotfiles.*set up in/ })
      .waitFor();
    await window.picture('repository-ok');
    const now = await state();
    assert.deepEqual([now.run?.state, now.commit], ['ok', commit]);
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
    await first().filter({ hasText: 'setup failed (exit 3)' }).waitFor();
    assert.equal((await state()).commit, commit);
    await window.picture('repository-failed');
    await window.pressNotificationButton('Terminals open as before', 'Show Log');
    await window.page.locator('.view-lines', { hasText: 'line 3: nosuchcommand' }).waitFor();
    await window.page.locator('.view-lines .detected-link', { hasText: 'install.sh' }).waitFor();
    await window.picture('repository-failed-log');
    // In the editor, where a click with Ctrl follows a link. It is drawn anew under the mouse, so the place is what is clicked.
    const link = window.page.locator('.view-lines .detected-link', { hasText: 'install.sh' }).first();
    await window.until(async () => {
      const box = await link.boundingBox();
      if (box === null) return false;
      await window.page.keyboard.down('Control');
      await window.page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await window.page.keyboard.up('Control');
      return await window.tab('install.sh').isVisible();
    });
    await window.page.locator('.line-numbers.active-line-number', { hasText: /^3$/ }).waitFor();
    await window.picture('repository-link');
    assert.equal(await service.inBox(user, 'echo', 'open'), 'open');
  });

  it('is looked at before it is applied, and gone back from', async () => {
    const { commit } = publishTree(git, 'ada/dotfiles', { '.inputrc': 'set bell-style none\n', '.vimrc': 'theirs\n' });
    await window.clearNotifications();
    const checked = await service.spoonctl(user, ['dotfiles', 'repo', 'test']);
    assert.equal(checked.code, 0, checked.stderr);
    await window.command('Spoon: Preview Dotfiles Apply');
    await window.tab('Dotfiles Preview.txt').waitFor();
    const text = window.page.locator('.view-lines', { hasText: '~/.inputrc: link' });
    await text.filter({ hasText: '~/.vimrc: leave as it is' }).waitFor();
    await text.filter({ hasText: '+set bell-style none' }).waitFor();
    await window.picture('repository-preview');
    await service.inBox(user, 'test', '!', '-e', '.inputrc');
    await window.pressNotificationButton('Apply commit', 'Update');
    await window.until(async () => {
      const now = await state();
      return now.commit === commit && isSetUp(now);
    });
    await window.command('Spoon: Roll Back Dotfiles Repository…');
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Before Any' }).waitFor();
    await window.picture('repository-generations');
    await window.pick(/Generation 1/);
    await window.page.locator('.monaco-dialog-box', { hasText: 'Go back to generation 1' }).waitFor();
    await window.picture('repository-roll-back');
    await window.pressDialogButton('Roll Back');
    await window.until(async () => {
      const now = await state();
      return now.commit !== commit && isSetUp(now);
    });
    await service.inBox(user, 'test', '!', '-e', '.inputrc');
  });

  it('is tested in a scratch box on a copy of the home, and applied from there', async () => {
    const { commit } = publishTree(git, 'ada/dotfiles', {
      'install.sh': 'echo "in the copy"; rm ~/keep; cp bashrc ~/.bashrc; echo new > ~/.made',
      bashrc: 'PS1="new> "\n',
    });
    await service.inBox(user, 'sh', '-c', 'echo mine > keep');
    assert.equal((await service.spoonctl(user, ['dotfiles', 'repo', 'test'])).code, 0);
    await window.clearNotifications();
    await window.command('Spoon: Test Setup in a Scratch Box');
    await window.dialog('Test commit').filter({ hasText: 'cannot reach your real home' }).waitFor();
    await window.picture('scratch-question');
    await window.pressDialogButton('Test');
    await window.notification('Testing your dotfiles setup in a scratch box').waitFor();
    await window.picture('scratch-progress');
    // Three starts of a box, on a machine that may be busy.
    await window.notification('ended well in the scratch box').waitFor({ timeout: 240_000 });
    await window.picture('scratch-result');
    const text = window.page.locator('.view-lines', { hasText: 'The setup ended well' });
    await text.filter({ hasText: '- ~/keep' }).filter({ hasText: '+ ~/.made' }).waitFor();
    await text.filter({ hasText: 'Your secrets for setups were left out' }).waitFor();
    assert.equal(await service.inBox(user, 'cat', 'keep'), 'mine');
    await service.inBox(user, 'test', '!', '-e', '.made');
    await window.pressNotificationButton('ended well in the scratch box', 'Update');
    await window.until(async () => {
      const now = await state();
      return now.commit === commit && isSetUp(now);
    });
    assert.equal(await service.inBox(user, 'cat', '.made'), 'new');
  });

  it('has one file gone back to as an earlier generation had it', async () => {
    await window.clearNotifications();
    await window.command('Spoon: Roll Back One File of Dotfiles Repository…');
    await window.pick(/Generation 1/);
    const row = window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'bashrc' });
    await row.waitFor();
    await window.picture('repository-roll-back-file');
    await row.click();
    await window.notification('~/.dotfiles/bashrc is as that generation had it').waitFor();
    await window.picture('repository-rolled-back-file');
    assert.equal(await service.inBox(user, 'cat', '.dotfiles/bashrc'), 'PS1="ada> "');
    assert.equal(await service.inBox(user, 'cat', '.bashrc'), 'PS1="new> "', 'what its setup made stays');
  });

  it('is off with all dotfiles, which the tree says and stays editable, and on again', async () => {
    await service.put(user, '.profile', 'spoon\n');
    await service.inBox(user, 'sh', '-c', 'echo hand > .profile');
    await window.clearNotifications();
    await window.command('Spoon: Turn Dotfiles Off');
    await window.dialog('Turn all dotfiles off').waitFor();
    await window.picture('dotfiles-off-question');
    await window.pressDialogButton('Turn Off');
    await window.notification('Dotfiles are off').filter({ hasText: '.profile' }).waitFor();
    await window.hint('Turn Dotfiles On').waitFor();
    await window.page.locator('.sidebar .message', { hasText: 'Dotfiles are turned off' }).waitFor();
    await window.hint('off, as all dotfiles').waitFor();
    await window.picture('dotfiles-off');
    await service.inBox(user, 'test', '!', '-e', '.vimrc');
    await window.openRow('.vimrc');
    await window.writeInEditor('set nonumber');
    await window.save();
    await service.inBox(user, 'test', '!', '-e', '.vimrc');
    await window.clearNotifications();
    await window.hint('Turn Dotfiles On').click();
    await window.notification('Dotfiles are on').waitFor();
    await window.until(async () => isSetUp(await state()));
    await window.hint('Turn Dotfiles On').waitFor({ state: 'detached' });
    assert.equal(await service.inBox(user, 'cat', '.vimrc', '.profile'), 'set nonumberspoon');
    await window.clearNotifications();
  });

  it('is private: says so, takes a token that nobody sees, and then works', async () => {
    publishTree(git, 'ada/secret', { '.secretrc': 'x\n' });
    git.protect('ada/secret.git', 'git', 'tok-3n-canary-ui');
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ url: git.url('ada/secret.git') });
    await service.fetch(user, '/v1/environment/repository', { method: 'PUT', headers, body });
    await first().filter({ hasText: 'not fetched' }).waitFor();
    await window.page.locator('.notification-list-item', { hasText: 'private or missing' }).first().waitFor();
    await window.picture('repository-private');
    await window.pressNotificationButton('private or missing', 'Set Token or Deploy Key…');
    await window.pick(/Private, with a Token/);
    await window.page.locator('.quick-input-widget input[type=password]').fill('tok-3n-canary-ui');
    await window.picture('repository-token');
    await window.page.keyboard.press('Enter');
    await first()
      .filter({ hasText: /ada\/secret.*set up in/ })
      .waitFor();
    const { credential } = await state();
    assert.equal(credential?.kind, 'token');
    await window.clearNotifications();
    // Another token for the same repository, which is then not agreed to.
    await window.command('Spoon: Configure Dotfiles Repository…');
    await window.page.locator('.quick-input-message', { hasText: 'Address of your dotfiles' }).waitFor();
    await window.page.keyboard.press('Enter');
    await window.pick(/Private, with a Token/);
    await window.page.locator('.quick-input-widget input[type=password]').fill('tok-other');
    await window.page.keyboard.press('Enter');
    await window.page.locator('.quick-input-message', { hasText: 'Branch, tag' }).waitFor();
    await window.page.keyboard.press('Enter');
    await window.pick('Its Setup Script');
    // Its commit is in the home already, so nobody is asked with that token before the commit is agreed to.
    await window.page.locator('.monaco-dialog-box', { hasText: 'Commit' }).waitFor();
    await window.pressDialogButton('Cancel');
    assert.deepEqual((await state()).credential, credential);
  });

  it('fetches submodules when that is ticked', async () => {
    await window.command('Spoon: Fetch Submodules and Large Files of Dotfiles Repository…');
    const row = window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Submodules' });
    await row.locator('input[type=checkbox], .monaco-checkbox, .quick-input-list-checkbox').first().click();
    await window.picture('repository-fetch-also');
    await window.page.locator('.quick-input-action .monaco-button', { hasText: 'OK' }).click();
    await window.until(async () => (await state()).settings?.submodules === true);
    await window.until(async () => (await state()).run?.state !== 'running');
  });

  it('can be cancelled while it runs', async () => {
    const { url } = publishTree(git, 'ada/dotfiles', { 'install.sh': 'exit 0' });
    assert.equal((await service.spoonctl(user, ['dotfiles', 'repo', 'set', url])).code, 0);
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
