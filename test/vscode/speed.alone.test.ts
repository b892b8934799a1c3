import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HomeWatcher } from '../homeWatcher.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { residentBytes } from './processes.ts';
import { Workbench } from './workbench.ts';

// Held against limits of time and memory in a real window with a real container, hence alone on the machine.
describe('the speed of Spoon in VS Code', { concurrency: false, timeout: 300_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;

  before(async () => {
    service = await RunningService.start({ engine: 'docker' });
    user = await service.addUser('Ada Lovelace');
    await service.put(user, '.bashrc', "PS1='$ '\n");
    window = await Workbench.open();
    await window.signIn(service.url, user.token);
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.pick('Home');
    });
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  /** The time is a part of what is promised. @returns the least memory in its second half: garbage comes and goes */
  async function flood(pid: number, seconds: number): Promise<number> {
    await window.typeInTerminal('clear; yes\n');
    await window.waitForTerminal(/^y$/m);
    const samples: number[] = [];
    for (let second = 0; second < seconds; second++) {
      await window.page.waitForTimeout(1_000);
      samples.push(await residentBytes(pid));
    }
    return Math.min(...samples.slice(Math.floor(seconds / 2)));
  }

  it('answers Ctrl-C during a flood in less than 300 ms, and does not grow', async (test) => {
    const pid = await window.extensionHostPid();
    // Its first burst of work brings the heap of a fresh process to its size; what counts is what a flood adds to that.
    await flood(pid, 3);
    await window.timeToPrompt('Control+C');
    const before = await residentBytes(pid);
    const grownMiB = ((await flood(pid, 10)) - before) / 1024 / 1024;
    const prompts = [await window.timeToPrompt('Control+C')];
    // One hiccup of a shared machine is not what people feel every day.
    while (prompts.length < 5) {
      await flood(pid, 1);
      prompts.push(await window.timeToPrompt('Control+C'));
    }
    const told = prompts.map((prompt) => prompt.toFixed(0)).join(', ');
    const median = prompts.toSorted((one, other) => one - other)[2] ?? Number.NaN;
    test.diagnostic(`Ctrl-C to prompt ${told} ms, extension host grew ${grownMiB.toFixed(1)} MiB`);
    assert.ok(grownMiB < 32, `${grownMiB} MiB`);
    assert.ok(median < 300, `${told} ms`);
    await window.typeInTerminal('echo "<after>"\n');
    await window.waitForTerminal(/^<after>$/m);
  });

  // The goal is 30 ms and is met on a quiet machine (25 ms); nearly all of it is VS Code's own way to the provider.
  const saveLimitMs = 60;

  it('has a save in the running box before fingers have left the keys', async (test) => {
    const times: number[] = [];
    await window.showSpoonView();
    await window.row('.bashrc').click();
    await window.tab('.bashrc').waitFor();
    await using saves = await HomeWatcher.start(service, user);
    for (let round = 0; round < 20; round++) {
      await window.writeInEditor(`PS1='$ ' # ${round}\n`);
      await window.page.locator('.tab.active.dirty').waitFor();
      const seen = saves.next('.bashrc');
      const pressed = await window.pressedAt('Control+S');
      times.push((await seen) - pressed);
      await window.page.locator('.tab.active.dirty').waitFor({ state: 'detached' });
    }
    times.sort((one, other) => one - other);
    const median = times[times.length >> 1] ?? Number.NaN;
    const [least] = times;
    test.diagnostic(`Ctrl+S to the file in the box: p50 ${median.toFixed(0)} ms, from ${least?.toFixed(0)} ms`);
    assert.ok(median <= saveLimitMs, `${times.map((time) => time.toFixed(0)).join(', ')} ms`);
  });
});
