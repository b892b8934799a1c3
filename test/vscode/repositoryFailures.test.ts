import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer, git as runGit } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

/** Longer than a clone takes on a busy machine; what hangs is waited for so long. */
const gitTimeoutMs = 12_000;
/** For small files, and not for more. */
const homeMebibytes = 48;

/** Far beyond what the others take, all of which end by themselves. */
const setupTimeoutMs = 8_000;

interface Failure {
  readonly settings: { readonly url: string; readonly ref?: string; readonly setup?: string };
  /** What the tree's row says. */
  readonly row: RegExp;
  /** What the message says: what happened, and why. */
  readonly notice: RegExp;
  /** What there is to be done about it, in the order of the buttons. */
  readonly buttons: readonly string[];
}

const [access, check, configure] = ['Set Token or Deploy Key…', 'Check for Updates', 'Configure…'];
const [log, again, retry] = ['Show Log', 'Run Setup Again', 'Try Again'];

// Each failure of a dotfiles repository, as a person meets it; one window, one box and one real git server for all.
describe('a dotfiles repository that fails, in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let git: GitServer;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-failures-'));
    git = await GitServer.start();
    await writeFile(join(folder, 'ca.pem'), git.ca);
    const environment = {
      // Nobody listens on the second.
      SPOON_GIT_HOSTS: `${git.host},127.0.0.1:9`,
      SPOON_CA_FILE: join(folder, 'ca.pem'),
      SPOON_GIT_TIMEOUT_MS: String(gitTimeoutMs),
      SPOON_SETUP_TIMEOUT_MS: String(setupTimeoutMs),
    };
    service = await RunningService.start({ engine: 'process', environment });
    // Homes with an end, before the first of them is made.
    const options = `size=${homeMebibytes}m,mode=711`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', join(service.workdir, 'homes')]);
    user = await service.addUser('Ada Lovelace');
    await service.put(user, '.vimrc', 'spoon\n');
    await service.inBox(user, 'true');
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
    if (service !== undefined) {
      await service.spoonctl(user, ['box', 'stop']);
      execFileSync('umount', ['--lazy', join(service.workdir, 'homes')]);
      await service[Symbol.asyncDispose]();
    }
    await git?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const send = (method: string, path: string, body?: unknown) =>
    service.fetch(user, path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  const choose = async (settings: Failure['settings']) => {
    const answer = await send('PUT', '/v1/environment/repository', settings);
    assert.equal(answer.status, 200, await answer.text());
  };
  const firstRow = () => window.page.locator('.sidebar .monaco-list-row').first();
  const url = (path: string) => git.url(path);
  const handle = (path: string, status: number, headers = {}) =>
    git.handle(path, (_, response) => response.writeHead(status, headers).end());

  /** The row and the message say it, once; a terminal of the window opens beside, and takes what is typed. */
  async function shows(name: string, { row, notice, buttons }: Omit<Failure, 'settings'>): Promise<void> {
    await firstRow().filter({ hasText: row }).waitFor();
    const toast = window.notification(notice);
    await toast.filter({ hasText: 'Terminals open as before' }).waitFor();
    assert.deepEqual(await toast.locator('.monaco-button').allTextContents(), buttons);
    assert.equal(await toast.count(), 1, 'it is said once');
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.pick('Home');
    });
    await window.typeInTerminal('echo arr""ived\n');
    await window.waitForTerminal(/^arrived$/m);
    await window.picture(`failure-${name}`);
    await window.command('Terminal: Kill the Active Terminal Instance');
    await window.page.locator('.terminal-wrapper').waitFor({ state: 'detached' });
  }
  async function fails(name: string, failure: Failure): Promise<void> {
    await window.clearNotifications();
    await choose(failure.settings);
    await shows(name, failure);
  }
  const setup = async (name: string, script: string, failure: Omit<Failure, 'settings' | 'buttons'>) => {
    const { url } = publishTree(git, `ada/${name}`, { 'install.sh': script });
    await fails(name, { settings: { url }, buttons: [log, again], ...failure });
  };

  it('has its address and ref checked while they are typed', async () => {
    await window.command('Spoon: Configure Dotfiles Repository…');
    const message = (text: string) => window.page.locator('.quick-input-message', { hasText: text });
    const refused: readonly [typed: string, why: string][] = [
      ['--upload-pack=touch x', 'The address of the repository is not one'],
      ['file:///etc', 'over https:// only'],
      ['http://github.com/ada/dotfiles', 'over https:// only'],
      ['https://ada:pass-w0rd-canary@github.com/ada/dotfiles', 'A credential was given in the address'],
    ];
    for (const [typed, why] of refused) {
      await window.quickInput.fill(typed);
      await message(why).waitFor();
    }
    await window.picture('failure-address');
    await window.quickInput.fill(url('ada/dotfiles.git'));
    await window.page.keyboard.press('Enter');
    await window.pick('Public');
    await message('Branch, tag').waitFor();
    await window.quickInput.fill('a..b');
    await message('no name of a branch').waitFor();
    await window.picture('failure-ref');
    await window.page.keyboard.press('Escape');
  });

  it('cannot be reached', () =>
    fails('unreachable', {
      settings: { url: 'https://127.0.0.1:9/ada/dotfiles' },
      row: /not fetched/,
      notice:
        /repository could not be fetched\. Could not connect to its server\. Check the address, or try again later/,
      buttons: [retry, configure, log],
    }));

  it('has moved', async () => {
    handle('moved', 302, { location: git.url('elsewhere/dotfiles.git') });
    await fails('moved', {
      settings: { url: url('moved/dotfiles') },
      row: /not fetched/,
      notice: /has moved.*points to another address: set that one/,
      buttons: [configure, retry, log],
    });
  });

  it('is private or missing, and so it stays with a wrong token', async () => {
    handle('private', 401, { 'www-authenticate': 'Basic realm="git"' });
    const [row, buttons] = [/not fetched/, [access, configure, log]] as const;
    const settings = { url: url('private/dotfiles') };
    await fails('private', { settings, row, notice: /private or missing.*give Spoon a token/, buttons });
    await window.clearNotifications();
    const token = await service.spoonctl(user, ['dotfiles', 'repo', 'token'], 'wr0ng-token-canary');
    assert.equal(token.code, 0, token.stderr);
    await shows('token', { row, notice: /does not accept the token.*Give Spoon a new token/, buttons });
  });

  it('lacks the branch, tag or commit', async () => {
    const { url } = publishTree(git, 'ada/dotfiles', { 'install.sh': 'true\n' });
    await fails('ref', {
      settings: { url, ref: 'nowhere' },
      row: /not fetched/,
      notice: /no such branch, tag or commit\. There is none called "nowhere"\. Choose another/,
      buttons: [configure, retry, log],
    });
  });

  it('sends nothing', async () => {
    git.handle('hangs', () => {});
    await fails('hangs', {
      settings: { url: url('hangs/dotfiles') },
      row: /not fetched/,
      notice: /did not finish in time/,
      buttons: [retry, configure, log],
    });
  });

  it('has a history that git refuses', async () => {
    const { url: evil } = publishTree(git, 'ada/evil', { a: '1\n' });
    const work = join(git.folder, 'work', 'ada/evil');
    const blob = runGit(work, 'rev-parse', 'HEAD:a');
    const input = `100644 blob ${blob}\t.GIT\n`;
    const evilTree = execFileSync('git', ['mktree'], { cwd: work, input, encoding: 'utf8' }).trim();
    const commit = runGit(work, 'commit-tree', '-m', 'evil', evilTree);
    runGit(work, 'push', '--quiet', '--force', 'origin', `${commit}:refs/heads/main`);
    await fails('refused', {
      settings: { url: evil },
      row: /not fetched/,
      notice: /holds something that git refuses\. It is in its history: hasDotgit/,
      buttons: [configure, retry, log],
    });
  });

  it('has lost the commit that counts', async () => {
    const { url: forced } = publishTree(git, 'ada/forced', { 'install.sh': 'true\n' });
    await window.clearNotifications();
    await choose({ url: forced });
    await firstRow()
      .filter({ hasText: /ada\/forced.*set up in/ })
      .waitFor();
    const bare = join(git.folder, 'repos', 'ada/forced.git');
    const work = join(git.folder, 'work', 'ada/forced');
    const orphan = runGit(work, 'commit-tree', '-m', 'anew', 'HEAD^{tree}');
    runGit(work, 'push', '--quiet', '--force', 'origin', `${orphan}:refs/heads/main`);
    runGit(bare, 'gc', '--quiet', '--prune=now');
    await service.inBox(user, 'rm', '-rf', '.dotfiles');
    await window.command('Spoon: Run Dotfiles Setup Again');
    await shows('forced', {
      row: /not fetched/,
      notice: /Commit \w{12} is not there any more\. Check for updates/,
      buttons: [check, configure, log],
    });
  });

  it('has a script that cannot be run as it is', async () => {
    const { url: missing } = publishTree(git, 'ada/missing', { a: '' });
    await fails('missing', {
      settings: { url: missing, setup: 'script/none' },
      row: /setup failed/,
      notice: /script\/none is not in the repository\. Nothing was run/,
      buttons: [configure, check, log],
    });
    const { url: crlf } = publishTree(git, 'ada/crlf', { 'install.sh': '#!/bin/bash\r\necho x\r\n' });
    await fails('crlf', {
      settings: { url: crlf },
      row: /setup failed/,
      notice: /setup.*failed.*Windows line endings \(CRLF\)/,
      buttons: [check, configure, log],
    });
  });

  it('has a setup that needs a program which is not there', () =>
    setup('program', 'nosuchprogram\n', {
      row: /setup failed \(exit 127\)/,
      notice: /exit code 127: a program that it needs is not in the box\. Its log says more/,
    }));

  it('has a setup that does not end', () =>
    setup('endless', 'echo waiting; setsid sleep 1000 & sleep 1000\n', {
      row: /setup failed/,
      notice: /did not finish in 8 s and was ended, with everything it had started/,
    }));

  it('has a setup that prints without end, of which beginning and end are kept', async () => {
    const script = `echo the first line; yes ${'x'.repeat(99)} | head -c 3000000; echo the last line; exit 4\n`;
    await setup('noisy', script, { row: /setup failed \(exit 4\)/, notice: /exit code 4\. Its log says more/ });
    await window.pressNotificationButton('exit code 4', log);
    const text = (part: string) => window.page.locator('.view-lines', { hasText: part }).waitFor();
    await text('the first line');
    await window.page.locator('.view-lines').first().click();
    await window.page.keyboard.press('Control+End');
    await text('the last line');
    await window.page.keyboard.press('Control+F');
    await window.page.locator('.find-widget.visible').waitFor();
    await window.page.keyboard.insertText('bytes omitted');
    await window.page.keyboard.press('Enter');
    await text('bytes omitted');
    await window.picture('failure-noisy-log');
    await window.command('View: Close All Editors');
  });

  it('has a setup that takes the home with it', async () => {
    await setup('removes', 'rm -rf ~/* ~/.[!.]* 2>/dev/null; exit 9\n', {
      row: /setup failed \(exit 9\)/,
      notice: /exit code 9/,
    });
    assert.equal(await service.inBox(user, 'cat', '.vimrc'), 'spoon', 'the overlay is there again');
  });

  it('has a setup that ends the box, which is then not started by itself any more', async () => {
    const boxd = '$(grep -lz "boxd.js\\|boxd/main" /proc/[0-9]*/cmdline | cut -d/ -f3)';
    const { url: deadly } = publishTree(git, 'ada/deadly', { 'install.sh': `kill -9 ${boxd}; sleep 1000 & wait\n` });
    await window.clearNotifications();
    await choose({ url: deadly });
    // As people who open terminals: each start of the box tries it once more.
    await window.until(async () => {
      await service.spoonctl(user, ['exec', '--', 'true']);
      const { run } = (await (await send('GET', '/v1/environment/repository')).json()) as RepositoryState;
      return run?.stages.some(({ detail }) => detail?.includes('box ended twice')) === true;
    });
    await shows('deadly', {
      row: /setup failed/,
      notice: /box ended twice.*Repair it, then run the setup again/,
      buttons: [log, again],
    });
  });

  it('collides with the overlay, with .spoon and with Code, which all stay', async () => {
    await service.inBox(user, 'sh', '-c', 'mkdir -p Code/mine; echo mine > Code/mine/file');
    const tree = {
      '.vimrc': 'theirs\n',
      '.spoon/manifest.json': 'theirs\n',
      'Code/mine/file': 'theirs\n',
      '.a': 'a\n',
    };
    const { url: collides } = publishTree(git, 'ada/collides', tree);
    await window.clearNotifications();
    await choose({ url: collides });
    await firstRow()
      .filter({ hasText: /ada\/collides.*set up in/ })
      .waitFor();
    await firstRow().hover();
    const hover = window.page.locator('.monaco-hover', { hasText: '.vimrc stayed as your dotfiles in Spoon say' });
    await hover.waitFor();
    await window.picture('failure-collides');
    assert.equal(await service.inBox(user, 'cat', '.vimrc', 'Code/mine/file', '.a'), 'spoon\nmine\na');
    assert.notEqual(await service.inBox(user, 'cat', '.spoon/manifest.json'), 'theirs');
  });

  it('finds a full home', async () => {
    const big = 'x'.repeat(1024 * 1024);
    const { url: large } = publishTree(git, 'ada/large', { '.large': big, '.other': `${big}y` });
    await service.inBox(user, 'sh', '-c', 'cat /dev/zero > ballast 2>/dev/null; true');
    await fails('full', {
      settings: { url: large },
      row: /not fetched/,
      notice: /no room left\. The home is full\. Delete what is large, then try again/,
      buttons: [retry, configure, log],
    });
    await service.inBox(user, 'rm', 'ballast');
    await window.pressNotificationButton('The home is full', retry);
    await firstRow()
      .filter({ hasText: /ada\/large.*set up in/ })
      .waitFor();
  });
});
