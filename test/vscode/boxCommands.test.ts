import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Box } from '../../protocol/boxes.ts';
import type { ShareList } from '../../protocol/shares.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// What a person does with a box and its shells beyond typing in one.
describe('a box in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-box-'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    await service.put(user, '.bashrc', "PS1='$ '\n. ~/.slow\n");
    await service.put(user, '.slow', 'wait_a_little() { sleep 0.3; }\n\nwait_a_little\n');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    window = await Workbench.open({ environment, pictures: process.env.SPOON_TEST_PICTURES });
    await window.statusBar(new URL(service.url).host).waitFor();
    await window.showSpoonView();
  });
  after(async () => {
    await window?.picture('box-last');
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const quickPick = (text: string | RegExp) => window.page.locator('.quick-input-widget', { hasText: text });
  const choice = (text: string | RegExp) =>
    window.page.locator('.quick-input-list .monaco-list-row', { hasText: text });
  const box = async () => (await (await service.fetch(user, '/v1/box')).json()) as Box;

  async function openHome(): Promise<void> {
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await quickPick('Open Thread Terminal').waitFor();
      await window.quickInput.fill('Home');
      await window.pick('Home');
    });
  }

  it('is kept until a time that a person chooses, which shows, and let go again', async () => {
    await openHome();
    await window.command('Spoon: Keep Box Until…');
    await choice('For four hours').waitFor();
    await window.picture('keep-box');
    const beforeMs = Date.now();
    await window.pick('For four hours');
    await window.until(async () => (await box()).pinnedUntilMs !== undefined);
    const { pinnedUntilMs = 0 } = await box();
    assert.ok(Math.abs(pinnedUntilMs - beforeMs - 4 * 3_600_000) < 300_000, new Date(pinnedUntilMs).toISOString());
    await window.command('Spoon: Why Is My Box Up…');
    await choice(/Until .*You asked to keep it/).waitFor();
    await window.picture('box-why');
    await window.page.keyboard.press('Escape');
    await window.command('Spoon: Keep Box Until…');
    await window.pick('No longer');
    await window.until(async () => (await box()).pinnedUntilMs === undefined);
  });

  it('says which folders are the largest, and copies the path of one', async () => {
    await service.inBox(user, 'sh', '-c', 'mkdir -p Code/big .cache/small; head -c 3000000 /dev/zero > Code/big/a');
    await window.command('Spoon: Show Largest Folders…');
    await quickPick(/Your home holds/).waitFor();
    await choice('~/Code/big').waitFor();
    await window.picture('largest-folders');
    await choice('~/Code/big').click();
    await window.statusBar('Copied ~/Code/big').waitFor();
    assert.equal(await window.page.evaluate(() => navigator.clipboard.readText()), '~/Code/big');
  });

  it('opens a path that a terminal prints, at its line', async () => {
    await service.inBox(user, 'sh', '-c', 'mkdir -p Code/api/main/src; seq 50 > Code/api/main/src/app.ts');
    await window.typeInTerminal('cd ~/Code/api/main; clear; echo src/app.ts:41:2 is wrong; echo src/gone.ts:1\n');
    await window.waitForTerminal(/src\/gone\.ts:1\n/);
    const line = window.page.locator('.terminal-wrapper.active .xterm-rows > div', { hasText: 'app.ts:41:2 is wrong' });
    const at = await line.first().boundingBox();
    assert.ok(at);
    const point = { x: at.x + 20, y: at.y + at.height / 2 };
    await window.page.keyboard.down('Control');
    await window.page.mouse.move(point.x - 5, point.y);
    await window.page.mouse.move(point.x, point.y, { steps: 3 });
    await window.page.locator('.monaco-hover', { hasText: 'Open ~/Code/api/main/src/app.ts' }).waitFor();
    await window.picture('terminal-link');
    await window.page.mouse.click(point.x, point.y);
    await window.page.keyboard.up('Control');
    await window.tab('app.ts').waitFor();
    await window.statusBar('Ln 41, Col 2').waitFor();
    await window.picture('terminal-link-opened');
  });

  it('shows a terminal to somebody else for a while, and one of theirs here', async () => {
    const bob = await service.addUser('Bob');
    const shares = async (of: TestUser) => (await (await service.fetch(of, '/v1/shares')).json()) as ShareList;
    await window.command('Spoon: Share Terminal…');
    await window.page.locator('.quick-input-widget', { hasText: 'Username of somebody' }).waitFor();
    await window.quickInput.fill(bob.username);
    await window.page.keyboard.press('Enter');
    await window.pick('May look');
    await window.pick('For 15 minutes');
    const told = window.notification(/bob can open it with "Spoon: Open Shared Terminal…" until/);
    await told.waitFor();
    await window.picture('share');
    const [seen] = (await shares(bob)).received;
    assert.deepEqual([seen?.owner, seen?.write], ['ada', false]);
    await told.locator('.monaco-button', { hasText: 'Stop Sharing' }).click();
    await window.until(async () => (await shares(bob)).received.length === 0);

    const theirs = await WatchedTerminal.open(service, bob);
    await theirs.untilText(/\$ /);
    const body = JSON.stringify({ with: user.username, write: true, lifeMs: 900_000 });
    const headers = { 'content-type': 'application/json' };
    await service.fetch(bob, `/v1/terminals/${theirs.session.id}/shares`, { method: 'POST', body, headers });
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Shared Terminal…');
      await choice(/bob.*may type, ends in/).waitFor();
      await window.pick('bob');
    });
    await window.typeInTerminal('echo I am "$USER"\n');
    await window.waitForTerminal(/I am bob$/m);
    await window.picture('shared-terminal');
    await window.command('Spoon: Stop Sharing a Terminal…');
    await quickPick('Stop Sharing a Terminal').waitFor();
    await window.page.locator('.quick-input-widget').getByPlaceholder('No terminal is shared').waitFor();
    await window.page.keyboard.press('Escape');
    const [given] = (await shares(bob)).given;
    await service.fetch(bob, `/v1/shares/${given?.id}`, { method: 'DELETE' });
    await window.waitForTerminal(/\[Spoon\].*no longer shared/);
    await window.picture('shared-terminal-over');
    await theirs.session.end();
  });

  it('says where the start of a shell spends its time, and opens that line', async () => {
    await window.command('Spoon: Profile Shell Startup');
    await quickPick(/bash starts in/).waitFor();
    await choice(/sleep 0\.3/)
      .first()
      .waitFor();
    await window.picture('startup-profile');
    await choice(/sleep 0\.3/)
      .first()
      .click();
    await window.tab('.slow').waitFor();
    await window.statusBar('Ln 1, Col 1').waitFor();
  });

  it('offers a safe terminal when the start-up files end the shell', async () => {
    await service.put(user, '.bashrc', 'exit 3\n');
    await window.command('Spoon: Open Thread Terminal…');
    await quickPick('Open Thread Terminal').waitFor();
    await window.quickInput.fill('Home');
    await window.pick('Home');
    await window.waitForTerminal(/press s for a safe terminal/);
    await window.picture('safe-terminal-offer');
    await window.newTerminal(() => window.typeInTerminal('s'));
    await window.typeInTerminal('echo "$-" $HOME\n');
    await window.waitForTerminal(/\/home\/ada$/m);
    await window.picture('safe-terminal');
    await service.put(user, '.bashrc', "PS1='$ '\n");
  });
});
