import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// A real git server over TLS, real checkouts in a real box, a real window.
describe('threads in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let git: GitServer;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-threads-'));
    git = await GitServer.start();
    git.repository('api', { 'README.md': '# api\n', 'src/server.ts': 'export const port = 8080;\n' });
    const authorities = join(folder, 'ca.pem');
    await writeFile(authorities, git.ca);
    service = await RunningService.start({
      engine: 'process',
      environment: { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: authorities },
    });
    user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    window = await Workbench.open({ environment, pictures: process.env.SPOON_TEST_PICTURES });
  });
  after(async () => {
    await window?.picture('threads-last');
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('makes the first one from an address and a branch, and opens its terminal', async () => {
    await window.showSpoonView();
    await window.welcome('A thread is a branch of a repository').waitFor();
    await window.picture('threads-empty');
    await window.newTerminal(async () => {
      await window.command('Spoon: New Thread…');
      await window.quickInput.fill(git.url('api.git'));
      await window.pick('Add api');
      await window.page.locator('.quick-input-widget', { hasText: '(2/2)' }).waitFor();
      await window.quickInput.fill('main');
      await window.pick('main');
    });
    await window.typeInTerminal('pwd; cat README.md\n');
    await window.waitForTerminal(/Code\/api\/main\n# api$/m);
    await window.row('api').waitFor();
    await window.row('main').waitFor();
  });

  const inBox = (...argv: string[]) => service.inBox(user, ...argv);
  const path = 'Code/api/main';

  it('shows what is changed, and what runs in which thread', async () => {
    await window.typeInTerminal('clear; echo "<last words>"; echo x >> README.md; touch new.txt\n');
    await window.waitForTerminal('<last words>');
    await window.page
      .locator('.sidebar .monaco-list-row', { hasText: /main.*2 changed/s })
      .waitFor({ timeout: 30_000 });
    await window.page.locator('.sidebar .monaco-list-row', { hasText: /1 viewer/ }).waitFor();
    await window.picture('threads-view');
  });

  it('opens its folder in a window of its own: read, saved, with changes from the box', async () => {
    await using folderWindow = await window.newWindow(() => window.command('Spoon: Open Thread Folder…'));
    await folderWindow.page.locator('.notifications-toasts', { hasText: 'This folder is in your box' }).waitFor();
    const explorer = (name: string) =>
      folderWindow.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
    await explorer('README.md').click();
    await folderWindow.tab('README.md').waitFor();
    await folderWindow.writeInEditor('# written in VS Code\n');
    await folderWindow.save();
    assert.equal(await inBox('cat', `${path}/README.md`), '# written in VS Code');
    await folderWindow.picture('thread-folder');
    // What the box writes shows without being asked for; a new file is in the Explorer.
    await inBox('sh', '-c', `echo '# written in the box!!' > ${path}/README.md; touch ${path}/from-the-box.txt`);
    await folderWindow.page.locator('.view-lines', { hasText: 'written in the box!!' }).waitFor();
    await explorer('from-the-box.txt').waitFor();

    await folderWindow.command('Spoon: Go to File in Thread…');
    await folderWindow.quickInput.fill('serv');
    await folderWindow.pick('server.ts');
    await folderWindow.tab('server.ts').waitFor();
    await folderWindow.command('Spoon: Search in Thread…');
    await folderWindow.quickInput.fill('8080');
    await folderWindow.page.locator('.quick-input-list .monaco-list-row', { hasText: 'src/server.ts:1' }).waitFor();
    await folderWindow.picture('thread-search');
    await folderWindow.page.keyboard.press('Escape');
  });

  it('names what would be lost before a checkout is deleted', async () => {
    await inBox('sh', '-c', `cd ${path} && git -c user.name=A -c user.email=a@b commit -qam 'Only here'`);
    await window.command('Spoon: Delete Checkout…');
    await window.dialog(/Only here/).waitFor();
    await window.dialog(/new\.txt/).waitFor();
    await window.picture('delete-checkout');
    await window.pressDialogButton('Cancel');
    assert.equal(await inBox('ls', `${path}/new.txt`), `${path}/new.txt`);
  });
});
