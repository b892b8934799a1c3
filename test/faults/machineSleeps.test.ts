import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalList } from '../../protocol/terminals.ts';
import { BlackHole } from '../fixtures/blackHole.fixture.ts';
import { TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';

const fixtures = join(import.meta.dirname, '..', 'fixtures');
const fastClock = join(fixtures, 'fastClock.fixture.ts');
const patienceMs = 120_000;

/** A viewer that can be frozen. */
class Viewer {
  readonly states: string[] = [];
  /** Since the last time that it was told to draw anew. */
  output = '';
  readonly process: ChildProcess;

  constructor(url: string, token: string, id: string) {
    const script = join(fixtures, 'viewerProcess.fixture.ts');
    this.process = spawn(process.execPath, ['--import', fastClock, script, url, id], {
      env: { PATH: process.env.PATH ?? '', TEST_TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    assert.ok(this.process.stdout);
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { state?: string; output?: string };
      if (said.state !== undefined) this.states.push(said.state);
      if (said.state === 'redraw') this.output = '';
      this.output += said.output ?? '';
    });
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }
}

// A lid that is closed: the process stands still and its connections lead nowhere, for longer than both ends wait for a ping.
// The clocks of boxd and of the viewer go four times as fast; nothing else is different.
describe('a machine that sleeps with a terminal open', { concurrency: false, timeout: 600_000 }, () => {
  let service: TestHttpSide;
  let hole: BlackHole;
  let token: string;
  /** Somebody at another machine, who is awake. */
  let other: WatchedTerminal;
  let viewer: Viewer;

  beforeEach(async () => {
    service = await TestHttpSide.start({ boxdImports: [fastClock] });
    hole = await BlackHole.before(service.url);
    token = await service.tokenOf('ada');
    other = await WatchedTerminal.open(service, { username: 'ada', token });
    other.type(`PS1='$ '; bind 'set enable-bracketed-paste off'; clear; echo re""ady\r`);
    await other.untilText(/ready/);
    viewer = new Viewer(hole.url, token, other.session.id);
    await until(() => viewer.states.includes('attached'), 'the attachment');
  });
  afterEach(async () => {
    await viewer?.end();
    other?.session.detach();
    await hole?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
    for (const endMs = Date.now() + patienceMs; !(await holds()); await delay(50)) {
      assert.ok(Date.now() < endMs, `${what} did not come; ${viewer.states.join()}; ${viewer.output.slice(-300)}`);
    }
  }
  async function viewers(): Promise<number | undefined> {
    const { terminals } = await service.json<TerminalList>('GET', '/v1/terminals', token);
    return terminals[0]?.viewers;
  }
  async function fallAsleep(): Promise<void> {
    await until(async () => (await viewers()) === 2, 'the second viewer');
    viewer.process.kill('SIGSTOP');
    hole.open();
    await until(async () => (await viewers()) === 1, 'the end of a viewer that answers nothing');
  }

  it('goes on where it was, with every byte once', async () => {
    other.type('i=0; while :; do echo "n=$i;"; i=$((i+1)); sleep 0.02; done\r');
    await until(() => /n=3;/.test(viewer.output), 'the counter');
    const statesBefore = viewer.states.length;
    await fallAsleep();
    const last = [...other.output.matchAll(/n=(\d+);/g)].at(-1)?.[1] ?? '';
    viewer.process.kill('SIGCONT');
    await until(() => viewer.output.includes(`n=${Number(last) + 20};`), 'what was printed after it woke up');
    const states = viewer.states.slice(statesBefore);
    assert.deepEqual([states[0], states.at(-1)], ['reconnecting', 'attached']);
    assert.ok(!states.some((state) => state === 'redraw' || state === 'missed'), states.join());
    const numbers = [...viewer.output.matchAll(/n=(\d+);/g)].map((match) => Number(match[1]));
    assert.deepEqual(numbers, [...numbers.keys()]);
  });
});
