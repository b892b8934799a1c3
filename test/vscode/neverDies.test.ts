import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalList } from '../../protocol/terminals.ts';
import { NetworkCut } from '../fixtures/networkCut.fixture.ts';
import { boxFromOutside } from '../fixtures/ownContainers.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { visibleTerminal } from './visibleTerminal.ts';
import { Workbench } from './workbench.ts';

/** How long the network is away: long enough to be noticed; a minute, as people have it, when asked for. */
const cutMs = Number(process.env.SPOON_TEST_CUT_MS ?? 0);

// An editor in a thread's terminal, through everything that can happen between it and the window.
describe('a terminal in VS Code never dies', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let network: NetworkCut;
  let window: Workbench;
  let folder: string;
  let editorPid: string;
  /** When the way to the box was gone, ms since 1970. */
  const outages: { fromMs: number; toMs: number }[] = [];
  const path = 'Code/api/main/poem.txt';
  const findEditor =
    "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline | grep -q '^[^ ]*vim -u NONE ' && echo $p; done; true";
  const inBox = (script: string) => service.inBox(user, 'bash', '-c', script);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-never-dies-'));
    service = await RunningService.start({ engine: 'docker' });
    user = await service.addUser('Ada Lovelace');
    network = await NetworkCut.to(service.url);
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: network.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    window = await Workbench.open({ environment, pictures: process.env.SPOON_TEST_PICTURES });
  });
  after(async () => {
    await window?.picture('never-dies-last');
    await window?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const connected = () => window.statusBar(new URL(network.url).host).waitFor();
  /** Its rows and its status line. The width may be another one: VS Code shows a list of terminals once it has two. */
  const screen = async (): Promise<string> => (await visibleTerminal(window.page)).replaceAll(/ +/g, ' ');
  const viewers = async (): Promise<number> => {
    const { terminals } = (await (await service.fetch(user, '/v1/terminals')).json()) as TerminalList;
    return terminals.reduce((sum, terminal) => sum + terminal.viewers, 0);
  };
  async function staysTheSame(before: string): Promise<void> {
    await window.until(async () => (await screen()) === before).catch(() => undefined);
    assert.equal(await screen(), before);
    assert.equal(await inBox(findEditor), editorPid);
  }
  async function typesOn(text: string): Promise<void> {
    // What is typed while the terminal is away is refused with a bell, and is not kept.
    await window.until(async () => (await viewers()) === 1);
    await window.typeInTerminal(text);
    await window.waitForTerminal(text.trim());
  }

  it('with an editor open in a thread', async () => {
    await connected();
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.page.locator('.quick-input-widget', { hasText: 'Open Thread Terminal' }).waitFor();
      await window.quickInput.fill('api/main');
      await window.pick('api/main');
    });
    await window.typeInTerminal('(while sleep 0.1; do date +%s%3N >> ~/alive; done) & clear\n');
    // A status line that stays, without a place of the cursor that follows the text a moment later, and no message that
    // the editor itself clears at its next redraw.
    const calm = "--cmd 'set shortmess+=F laststatus=2 noruler statusline=%f'";
    await window.typeInTerminal(`$(command -v nvim || command -v vim) -u NONE ${calm} ~/${path}\n`);
    await window.waitForTerminal(/~\s*\n.*poem\.txt/);
    await window.typeInTerminal('i');
    await typesOn('The first line');
    editorPid = await inBox(findEditor);
    await window.picture('editor-in-terminal');
  });

  it('when the service is killed and started again', async () => {
    const before = await screen();
    const fromMs = Date.now();
    await service.kill('SIGKILL');
    await window.statusBar('Spoon offline').waitFor();
    await delay(500);
    outages.push({ fromMs, toMs: Date.now() });
    await service.launch();
    await connected();
    await staysTheSame(before);
    await typesOn(' after the service was killed');
  });

  it('when the window is reloaded', async () => {
    const before = await screen();
    await window.reload();
    await connected();
    await window.page.locator('.terminal-wrapper .xterm').first().waitFor({ state: 'attached' });
    await window.command('Terminal: Focus Terminal');
    await staysTheSame(before);
    await typesOn(' after a reload');
  });

  it('when the network is cut', async () => {
    const before = await screen();
    const fromMs = Date.now();
    await network.cut();
    await window.statusBar('Spoon offline').waitFor();
    await delay(Math.max(500, cutMs - (Date.now() - fromMs)));
    outages.push({ fromMs, toMs: Date.now() });
    await network.restore();
    await connected();
    await staysTheSame(before);
    await typesOn(' after a cut');
  });

  it('when the whole box is frozen, which is said', async () => {
    const before = await screen();
    const box = await boxFromOutside(service, user.username);
    await box.pause();
    await window.statusBar('Box does not answer').waitFor();
    await window.picture('box-does-not-answer');
    await box.unpause();
    await connected();
    await staysTheSame(before);
    await typesOn(' after a freeze');
  });

  it('and nothing in the box ever noticed', async () => {
    await window.typeInTerminal('\u001b');
    await window.typeInTerminal(':wq\n');
    const text = 'The first line after the service was killed after a reload after a cut after a freeze';
    await window.until(async () => (await inBox(`cat ~/${path}`)) === text);
    const ticks = (await inBox('cat ~/alive')).split('\n').map(Number);
    for (const { fromMs, toMs } of outages) {
      const during = ticks.filter((tickMs) => tickMs > fromMs && tickMs < toMs);
      assert.ok(during.length >= 3, `${during.length} ticks in ${toMs - fromMs} ms without a service`);
    }
  });

  it('whose shell says that the box does not answer, for as long as it does not', async () => {
    await window.typeInTerminal('clear\n');
    const box = await boxFromOutside(service, user.username);
    await box.pause();
    await window.waitForTerminal(/Your box does not answer/);
    await window.picture('shell-of-a-frozen-box');
    await box.unpause();
    await connected();
    await window.until(async () => !(await screen()).includes('does not answer'));
    await typesOn('echo awake');
  });
});
