import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { removeBoxFromOutside } from '../fixtures/ownContainers.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// One window and one service for all of it: the parts follow each other as a person's first day would.
describe('Spoon in VS Code, with a real box', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;

  before(async () => {
    service = await RunningService.start({ engine: 'docker' });
    user = await service.addUser('Ada Lovelace');
    window = await Workbench.open({ pictures: process.env.SPOON_TEST_PICTURES });
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  async function newDotfile(path: string): Promise<void> {
    await window.command('Spoon: New Dotfile…');
    await window.answer('New Dotfile', path);
    await window.tab(path.split('/').at(-1) ?? path).waitFor();
  }

  async function openTerminal(place: string): Promise<void> {
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.page.locator('.quick-input-widget', { hasText: 'Open Thread Terminal' }).waitFor();
      if (place !== 'Home') await window.quickInput.fill(place);
      await window.pick(place);
    });
  }

  /** Runs a line and waits until its result stands alone on a line. */
  async function run(line: string, result: string | RegExp): Promise<string> {
    await window.typeInTerminal(`${line}\n`);
    return await window.waitForTerminal(result);
  }

  it('asks somebody new to sign in, and offers only what works then', async () => {
    await window.showSpoonView();
    await window.welcome('Sign in to see your dotfiles').waitFor();
    await window.picture('signed-out');
    const offered = (await window.offered('Spoon')).filter((title) => /^Spoon:/.test(title));
    assert.ok(offered.length <= 8, offered.join(', '));
    assert.ok(offered.includes('Spoon: Sign In…'));
    assert.ok(!offered.some((title) => /Terminal|Dotfile…|Sign Out/.test(title)));
  });

  it('says at each step of the sign-in what is wrong', async () => {
    await window.command('Spoon: Sign In…');
    await window.refuses('(1/2)', 'ftp://spoon.example.org', 'https://');
    await window.refuses('(1/2)', 'http://spoon.example.org', 'Plain HTTP');
    await window.refuses('(1/2)', await closedAddress(), 'nothing listens there');
    await window.answer('(1/2)', service.url);
    await window.refuses('(2/2)', 'hello', 'not a whole token');
    await window.refuses('(2/2)', user.token.slice(0, -1), 'not a whole token');
    await window.page.keyboard.press('Escape');
  });

  it('signs in and shows an empty home', async () => {
    await window.signIn(service.url, user.token);
    await window.hint('Upload Files…').waitFor();
    await window.picture('empty');
  });

  it('has a new dotfile in the next terminal, and a change of it in the one after', async () => {
    await newDotfile('.bashrc');
    await window.row('.bashrc').waitFor();
    await window.writeInEditor('export SPOON_PROOF=first\n');
    await window.save();
    await openTerminal('Home');
    await run('echo "<$SPOON_PROOF>"', '<first>');
    await window.tab('.bashrc').click();
    await window.writeInEditor('export SPOON_PROOF=second\n');
    await window.save();
    await openTerminal('api/main');
    await run('echo "<$SPOON_PROOF>" $PWD', '<second> /home/ada/Code/api/main');
    await window.picture('terminal');
  });

  it('keeps the home when the box is removed, and says so in its terminals', async () => {
    await run('echo kept > ~/notes.txt; echo "<done>"', /^<done>$/m);
    await removeBoxFromOutside(service, user.username);
    await window.waitForTerminal(/box (has stopped|is stopped).*Press any key to close/s, 30_000);
    await window.typeInTerminal('x');
    await openTerminal('Home');
    await run('cat ~/notes.txt', /^kept$/m);
    await run('echo "<$SPOON_PROOF>"', '<second>');
  });

  it('shows characters of every width whole', async () => {
    await run(`clear; printf '─%.0s' {1..5000}; echo; printf '🥄%.0s' {1..2000}; echo; echo "<done>"`, /^<done>$/m);
    const text = await window.terminalText();
    assert.equal(text.match(/─/g)?.length, 5000);
    assert.equal(text.match(/🥄/g)?.length, 2000);
    assert.doesNotMatch(text, /\ufffd/);
  });

  it('is told by a shell that ends with an error, and offers a safe one', async () => {
    await window.tab('.bashrc').click();
    await window.writeInEditor('exit 3\n');
    await window.save();
    await window.command('Spoon: Open Thread Terminal…');
    await window.pick('Home');
    await window.waitForTerminal(/ended with code 3.*press s for a safe terminal/s, 30_000);
    await window.newTerminal(() => window.typeInTerminal('s'));
    await run('echo "<safe>"', /^<safe>$/m);
    await window.tab('.bashrc').click();
    await window.writeInEditor('export SPOON_PROOF=third\n');
    await window.save();
  });

  it('says that it is offline, refuses a save in one message, and recovers alone', async () => {
    await openTerminal('Home');
    await run('for i in 1 2 3; do sleep 1; done; echo "<slept>"', /^<slept>$/m);
    await service.kill('SIGKILL');
    await window.statusBar('Spoon offline').waitFor();
    await window.waitForTerminal('Connection lost');
    await window.tab('.bashrc').click();
    await window.writeInEditor('export SPOON_PROOF=offline\n');
    await window.page.keyboard.press('Control+S');
    await window.notification(/Failed to save.*does not answer.*stay in the editor/s).waitFor();
    await window.picture('offline');
    assert.equal(await window.page.locator('.notifications-toasts .notification-list-item').count(), 1);
    await window.clearNotifications();
    await service.launch();
    await window.statusBar(new URL(service.url).host).waitFor({ timeout: 60_000 });
    await window.save();
    await window.focusTerminal();
    await window.waitForTerminal(/^(?![\s\S]*Connection lost)[\s\S]*\$$/, 60_000);
    await run('echo "<still here>"', /^<still here>$/m);
    assert.equal(await service.inBox(user, 'cat', '.bashrc'), 'export SPOON_PROOF=offline');
  });
});

/** Nothing listens there; and it is not one of the ports that browsers and Node refuse by themselves. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}`;
}
