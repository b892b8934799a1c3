import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HomeWatcher, nowMs } from '../homeWatcher.ts';
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
    // The first one brings the heap of a fresh process to its size, which takes its time; what counts is what more of it adds.
    await flood(pid, 6);
    await window.timeToPrompt('Control+C');
    const before = await flood(pid, 8);
    await window.timeToPrompt('Control+C');
    const grownMiB = ((await flood(pid, 8)) - before) / 1024 / 1024;
    const prompts = [await window.timeToPrompt('Control+C')];
    // One hiccup of a shared machine is not what people feel every day.
    while (prompts.length < 5) {
      await flood(pid, 1);
      prompts.push(await window.timeToPrompt('Control+C'));
    }
    // On a slow machine Ctrl-C takes longer at rest, too: 15 ms where the limit in milliseconds holds.
    const still: number[] = [];
    while (still.length < 5) still.push(await window.timeToPrompt('Control+C'));
    test.diagnostic(
      `Ctrl-C to prompt ${inWords(prompts)}, without a flood ${inWords(still)}; extension host grew ${grownMiB.toFixed(1)} MiB`,
    );
    assert.ok(grownMiB < 32, `${grownMiB} MiB`);
    assert.ok(median(prompts) < Math.max(300, 20 * median(still)), inWords(prompts));
    await window.typeInTerminal('echo "<after>"\n');
    await window.waitForTerminal(/^<after>$/m);
  });

  it('has a save in the running box soon after one of a file that lies beside VS Code is on its disk', async (test) => {
    const local = join(window.folder, 'local.txt');
    await writeFile(local, '');
    await window.page.keyboard.press('Control+P');
    await window.quickInput.fill('local.txt');
    await window.pick('local.txt');
    await window.tab('local.txt').waitFor();
    await window.showSpoonView();
    await window.openRow('.bashrc');
    await using saves = await HomeWatcher.start(service, user);
    const saved = async (name: string, text: string, seen: () => Promise<number>): Promise<number> => {
      await window.tab(name).click();
      await window.writeInEditor(text);
      await window.page.locator('.tab.active.dirty').waitFor();
      const written = seen();
      const pressed = await window.pressedAt('Control+S');
      const tookMs = (await written) - pressed;
      await window.page.locator('.tab.active.dirty').waitFor({ state: 'detached' });
      return tookMs;
    };
    const [ours, own]: [number[], number[]] = [[], []];
    for (let round = 0; round < 12; round++) {
      ours.push(await saved('.bashrc', `PS1='$ ' # ${round}\n`, () => saves.next('.bashrc')));
      own.push(await saved('local.txt', `${round}\n`, () => changed(local)));
    }
    test.diagnostic(`Ctrl+S to the file in the box ${inWords(ours)}, to a local file ${inWords(own)}`);
    assert.ok(median(ours) <= 2 * median(own) + 30, `${inWords(ours)}, a local file ${inWords(own)}`);
  });
});

/** When the file is written next, ms since 1970. */
function changed(path: string): Promise<number> {
  return new Promise((resolve) => {
    const watcher = watch(path, () => {
      watcher.close();
      resolve(nowMs());
    });
  });
}

function median(timesMs: readonly number[]): number {
  return timesMs.toSorted((one, other) => one - other)[timesMs.length >> 1] ?? Number.NaN;
}

function inWords(timesMs: readonly number[]): string {
  return `${timesMs.map((time) => time.toFixed(0)).join(', ')} ms`;
}
