import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TerminalState } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { openStore, type Store } from '../store/database.ts';
import { Boxes, type BoxUser } from './boxes.ts';
import type { BoxHappening } from './boxHappening.ts';
import { LocalEngine } from './localEngine.fixture.ts';
import { Pins } from './pins.ts';

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ada: BoxUser = { userId: 'u-ada', username: 'ada', uid: own.uid, shell: '/bin/bash' };
const shell: TerminalState = {
  id: 't',
  title: 'vim',
  cwd: '/home/ada',
  createdMs: 0,
  viewers: 0,
  columns: 80,
  rows: 24,
  busy: true,
};
const hourMs = 3_600_000;

describe('the life of a box', () => {
  let folder: string;
  let engine: LocalEngine;
  let store: Store;
  let nowMs: number;
  let made: Boxes[];
  let happened: BoxHappening[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-life-'));
    engine = new LocalEngine();
    store = await openStore(join(folder, 'spoon.db'));
    const user = {
      id: ada.userId,
      username: 'ada',
      display_name_enc: Buffer.of(1),
      uid: 1,
      shell: 'x',
      created_ms: 1,
      disabled_ms: null,
    };
    await store.db.insertInto('users').values(user).execute();
    nowMs = Date.now();
    made = [];
    happened = [];
  });
  afterEach(async () => {
    for (const each of made) await each.close();
    for (const box of engine.boxes.values()) box.end();
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** A service of its own on the same boxes and store. */
  async function make(
    settings: { idleMs?: number; image?: string; boxdDir?: string; maxProcesses?: number } = {},
  ): Promise<Boxes> {
    const { boxdDir = '/opt/spoon', ...rest } = settings;
    const each = new Boxes({
      engine,
      places: {
        homesDir: join(folder, 'homes'),
        runDir: join(folder, 'run'),
        etcDir: join(folder, 'etc'),
        boxdDir,
      },
      settings: {
        image: 'image',
        memoryBytes: 2 ** 31,
        cpus: 1,
        maxProcesses: 64,
        idleMs: 60_000,
        detachedMs: 60_000,
        separatesUsers: own.uid === 0,
        ...rest,
      },
      pins: await Pins.open(store, () => nowMs),
      onStarted: async () => [],
      happened: (_user, happening) => happened.push(happening),
      report: (problem) => assert.fail(String(problem)),
    });
    made.push(each);
    return each;
  }
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 5_000;
    while (!(await condition())) {
      assert.ok(performance.now() < deadline, 'did not happen within 5 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('is kept by a pin past its idle time, also by the next service, and ends when the pin is over', async () => {
    const first = await make({ idleMs: 60 });
    await first.ensure(ada);
    await first.pin(ada, nowMs + hourMs);
    const pinned = await first.describe(ada);
    assert.deepEqual([pinned.holders.map(({ kind }) => kind), pinned.stopsAtMs], [['pin'], null]);
    assert.equal(pinned.pinnedUntilMs, nowMs + hourMs);
    await first.close();

    const second = await make({ idleMs: 60 });
    await second.adopt([ada]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await second.describe(ada)).state, 'running');
    nowMs += hourMs;
    await until(async () => (await second.describe(ada)).state === 'stopped');
    assert.equal((await second.describe(ada)).pinnedUntilMs, undefined);
  });

  it('can be let go before', async () => {
    const boxes = await make({ idleMs: 60 });
    await boxes.ensure(ada);
    await boxes.pin(ada, nowMs + hourMs);
    await boxes.unpin(ada);
    await until(async () => (await boxes.describe(ada)).state === 'stopped');
  });

  it('takes no pin into the past, too far ahead, or for a box that is off', async () => {
    const boxes = await make();
    await assert.rejects(boxes.pin(ada, nowMs + hourMs), { code: 'box-stopped' });
    await boxes.ensure(ada);
    for (const untilMs of [nowMs, nowMs - 1, 0, -1, nowMs + 7 * 24 * hourMs + 1]) {
      await assert.rejects(boxes.pin(ada, untilMs), { code: 'pin-invalid' });
    }
    await boxes.pin(ada, nowMs + 7 * 24 * hourMs);
  });

  it('starts over when it is restarted', async () => {
    const boxes = await make();
    const before = await boxes.ensure(ada);
    assert.notEqual(await boxes.restart(ada), before);
    assert.equal(engine.starts, 2);
    await boxes.stop(ada.userId);
    await boxes.restart(ada);
    assert.equal(engine.starts, 3);
  });

  it('of an older service is said to be one, keeps its vim, and is replaced once that is gone', async () => {
    const before = await make();
    const box = await before.ensure(ada);
    assert.equal((await before.describe(ada)).outdated, undefined);
    await before.close();
    const [local] = engine.boxes.values();
    assert.ok(local);
    // Nobody watches it.
    local.terminals = [shell];
    const after = await make({ boxdDir: '/opt/newer' });
    await after.adopt([ada]);
    assert.deepEqual((await after.describe(ada)).outdated, ['settings']);
    assert.equal((await after.ensure(ada)).startedMs, box.startedMs);
    assert.equal(engine.starts, 1, 'vim is still there');
    local.terminals = [];
    await after.ensure(ada);
    assert.equal((await after.describe(ada)).outdated, undefined);
    assert.equal(engine.starts, 2);
  });

  it('keeps an older box while it is pinned', async () => {
    const before = await make();
    await before.ensure(ada);
    await before.pin(ada, nowMs + hourMs);
    await before.close();
    const after = await make({ boxdDir: '/opt/newer' });
    await after.adopt([ada]);
    await after.ensure(ada);
    assert.equal(engine.starts, 1);
    await after.restart(ada);
    assert.equal(engine.starts, 2);
  });

  it('is told: who started and ended it, or what', async () => {
    const boxes = await make({ idleMs: 60 });
    await boxes.ensure(ada);
    await until(async () => (await boxes.describe(ada)).state === 'stopped');
    assert.deepEqual(happened.splice(0), [{ kind: 'started' }, { kind: 'stopped', why: 'idle' }]);
    await boxes.stop(ada.userId);
    assert.deepEqual(happened, [], 'there was none');

    await boxes.close();

    const longer = await make();
    await longer.ensure(ada);
    for (const watcher of engine.watchers) watcher.onMemoryKill('ada');
    engine.die('ada', 'exited', 3);
    await longer.ensure(ada);
    await longer.stop(ada.userId);
    const image = new SpoonError('image-missing');
    engine.beforeStart = () => Promise.reject(image);
    await assert.rejects(longer.ensure(ada), image);
    assert.deepEqual(happened, [
      { kind: 'started' },
      { kind: 'out-of-memory' },
      { kind: 'ended', reason: 'exited', exitCode: 3 },
      { kind: 'started' },
      { kind: 'stopped', why: 'asked' },
      { kind: 'start-failed', error: image },
    ]);
  });

  it('stops idle or is opened, and never both (R23)', async () => {
    const races = Number(process.env.SPOON_TEST_IDLE_RACES ?? 300);
    // The shortest time between two looks, so that a stop begins about when somebody opens.
    const boxes = await make({ idleMs: 20 });
    let refused = 0;
    for (let race = 0; race < races; race++) {
      const opened = Array.from({ length: 3 }, async () => {
        const box = await boxes.ensure(ada);
        await box.boxd.stat().catch(() => refused++);
      });
      await Promise.all(opened);
      const spinMs = 15 + ((race * 13) % 15);
      await new Promise((resolve) => setTimeout(resolve, spinMs));
    }
    assert.equal(refused, 0);
    assert.ok(engine.starts > races / 20, `only ${engine.starts} starts: the race was not run`);
  });
});
