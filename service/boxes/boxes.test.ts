import assert from 'node:assert/strict';
import { chown, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { TerminalState } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { Boxes, type BoxUser, type RunningBox } from './boxes.ts';
import { type LocalBox, LocalEngine, noPins } from './localEngine.fixture.ts';

const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;
const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ada: BoxUser = { userId: 'u-ada', username: 'ada', uid: own.uid, shell: '/bin/bash' };

const terminal: TerminalState = {
  id: 't',
  title: 'bash',
  cwd: '/home/ada',
  createdMs: 0,
  viewers: 1,
  columns: 80,
  rows: 24,
  busy: false,
};

describe('Boxes', () => {
  let folder: string;
  let engine: LocalEngine;
  let boxes: Boxes;
  let made: Boxes[];
  let problems: unknown[];
  let onStarted: (box: RunningBox) => Promise<[]>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-boxes-'));
    engine = new LocalEngine();
    made = [];
    problems = [];
    onStarted = async () => [];
    boxes = make();
  });
  afterEach(async () => {
    for (const each of made) await each.close();
    for (const box of engine.boxes.values()) box.end();
    await rm(folder, { recursive: true });
  });

  function make(settings: { idleMs?: number; maxProcesses?: number; separatesUsers?: boolean } = {}): Boxes {
    const each = new Boxes({
      engine,
      places: {
        homesDir: join(folder, 'homes'),
        runDir: join(folder, 'run'),
        etcDir: join(folder, 'etc'),
        boxdDir: '/opt/spoon',
      },
      settings: {
        image: 'image',
        memoryBytes: 2 * 1024 ** 3,
        cpus: 1,
        maxProcesses: 64,
        idleMs: 60_000,
        detachedMs: 60_000,
        separatesUsers: own.uid === 0,
        ...settings,
      },
      pins: noPins,
      onStarted: (box) => onStarted(box),
      report: (problem) => problems.push(problem),
    });
    made.push(each);
    return each;
  }
  /** The one box answers nothing until told. */
  function silence(): { local: LocalBox; answer: () => void } {
    const [local] = engine.boxes.values();
    assert.ok(local);
    const { promise, resolve } = Promise.withResolvers<void>();
    local.answering = promise;
    local.asked = 0;
    return { local, answer: resolve };
  }
  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 30_000;
    while (!(await condition())) {
      assert.ok(performance.now() < deadline, 'did not happen within 5 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  describe('ensure', () => {
    it('starts one box however many ask, and has boxd answer before it says so', async () => {
      const all = await Promise.all(Array.from({ length: 50 }, () => boxes.ensure(ada)));
      assert.equal(new Set(all).size, 1);
      assert.equal(engine.starts, 1);
      assert.equal((await all[0]?.boxd.stat())?.build, 'b');
      assert.equal(boxes.running(ada.userId), all[0]);
      assert.deepEqual(boxes.allRunning(), [all[0]]);
    });

    it('brings the home up to date before anybody gets the box', async () => {
      const order: string[] = [];
      onStarted = async (box) => {
        order.push(`pipeline of ${box.user.username}, running: ${boxes.running(ada.userId) !== undefined}`);
        return [];
      };
      await boxes.ensure(ada);
      order.push('ensured');
      assert.deepEqual(order, ['pipeline of ada, running: false', 'ensured']);
    });

    it('ends what it began and says why when a start fails, and starts anew the next time', async () => {
      engine.beforeStart = async () => {
        throw new SpoonError('image-missing', 'Make it.');
      };
      await assert.rejects(boxes.ensure(ada), code('image-missing'));
      const box = await boxes.describe(ada);
      assert.equal(box.state, 'failed');
      assert.equal(box.detail, 'The box image is not on this machine. Make it.');
      engine.beforeStart = async () => undefined;
      await boxes.ensure(ada);
      assert.equal((await boxes.describe(ada)).state, 'running');
    });

    it('keeps the words of a bug out of what people see', async () => {
      engine.beforeStart = async () => {
        throw new TypeError('x is not a function');
      };
      await assert.rejects(boxes.ensure(ada), TypeError);
      assert.doesNotMatch((await boxes.describe(ada)).detail ?? '', /function/);
    });

    it('refuses a boxd of another protocol', async () => {
      engine.onNewBox = (box) => {
        box.protocol = 99;
      };
      await assert.rejects(boxes.ensure(ada), code('box-misbehaved'));
      assert.equal(engine.boxes.size, 0);
    });

    it('does not start a box over a home of somebody else', async () => {
      await mkdir(join(folder, 'homes', 'ada'), { recursive: true });
      if (own.uid === 0) await chown(join(folder, 'homes', 'ada'), 12_345, 12_345);
      const user = own.uid === 0 ? ada : { ...ada, uid: own.uid + 1 };
      await assert.rejects(make({ separatesUsers: true }).ensure(user), (error) => {
        assert.ok(error instanceof SpoonError && error.code === 'home-untrusted');
        assert.ok(!error.message.includes(folder), 'the host’s paths are for the operator');
        return true;
      });
      assert.equal(engine.starts, 0);
    });

    it('refuses a second user where boxes have no uid of their own', async () => {
      const single = make({ separatesUsers: false });
      await single.ensure(ada);
      await assert.rejects(single.ensure({ ...ada, userId: 'u-grace', username: 'grace' }), code('single-user-only'));
    });

    it('lets one caller give up while the others get the box', async () => {
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      engine.beforeStart = () => held;
      const controller = new AbortController();
      const [impatient, patient] = [boxes.ensure(ada, controller.signal), boxes.ensure(ada)];
      controller.abort(new Error('gave up'));
      await assert.rejects(impatient, /gave up/);
      release();
      assert.equal((await patient).user.username, 'ada');
    });

    it('replaces a box made from something older, once nothing holds it', async () => {
      await boxes.ensure(ada);
      await boxes.close();
      const [local] = engine.boxes.values();
      assert.ok(local);
      const newer = make({ maxProcesses: 65 });
      local.terminals = [terminal];
      await newer.adopt([ada]);
      await newer.ensure(ada);
      assert.equal(engine.starts, 1, 'held by a viewer');
      local.terminals = [];
      await newer.ensure(ada);
      assert.equal(engine.starts, 2);
    });
  });

  it('says what is wrong with the image where a box ended over that', async () => {
    engine.fault = new SpoonError('image-unsuitable', 'It has no glibc.');
    onStarted = async () => {
      engine.die('ada', 'exited', 127);
      return [];
    };
    await assert.rejects(boxes.ensure(ada), code('image-unsuitable'));
    assert.match((await boxes.describe(ada)).detail ?? '', /no glibc/);
  });

  it('shows that the image was made anew, tells listeners, and replaces the box once nothing holds it', async () => {
    const quick = make({ idleMs: 200 });
    let told = 0;
    engine.onNewBox = (box) => {
      box.terminals = [terminal];
    };
    await quick.ensure(ada);
    quick.onChange(() => told++);
    await until(() => told > 0);
    assert.equal((await quick.describe(ada)).outdated, undefined);
    engine.image = 'sha256:2';
    await until(async () => (await quick.describe(ada)).outdated?.join() === 'image');
    assert.equal(told, 2, 'once for each image');
    await quick.ensure(ada);
    assert.equal(engine.starts, 1, 'held by a viewer');
    for (const box of engine.boxes.values()) box.terminals = [];
    await quick.ensure(ada);
    assert.equal(engine.starts, 2);
    assert.equal((await quick.describe(ada)).outdated, undefined);
  });

  describe('stop', () => {
    it('ends a box, and one that is just starting', async () => {
      const box = await boxes.ensure(ada);
      await boxes.stop(ada.userId);
      assert.equal(engine.boxes.size, 0);
      await assert.rejects(box.boxd.stat(), code('box-unavailable'));
      assert.equal((await boxes.describe(ada)).state, 'stopped');

      engine.beforeStart = (_, signal) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      const starting = assert.rejects(boxes.ensure(ada), code('box-stopped'));
      await until(async () => (await boxes.describe(ada)).state === 'starting');
      await boxes.stop(ada.userId);
      await starting;
      assert.equal((await boxes.describe(ada)).state, 'stopped');
    });

    it('has nothing to do for a user without a box', () => boxes.stop('u-nobody'));

    it('for a user who is blocked is the last word: nothing that was under way starts the box again', async () => {
      await boxes.ensure(ada);
      // Its own stop is done before that of the block begins, and its start comes after both.
      const restarting = assert.rejects(boxes.restart(ada), code('user-disabled'));
      await boxes.block(ada.userId);
      await restarting;
      await assert.rejects(boxes.ensure(ada), code('user-disabled'));
      assert.deepEqual([engine.boxes.size, engine.starts], [0, 1]);
      boxes.unblock(ada.userId);
      await boxes.ensure(ada);
      assert.equal(engine.starts, 2);
    });
  });

  it('sets a home aside also where the engine goes away after its user is gone', async () => {
    await boxes.ensure(ada);
    await boxes.block(ada.userId);
    const stop = engine.stop.bind(engine);
    engine.stop = async () => {
      throw new SpoonError('engine-unavailable');
    };
    engine.eraseHome = () => engine.stop('ada');
    assert.equal(await boxes.removeHome(ada), false);
    const [aside, ...others] = await readdir(join(folder, 'homes'));
    assert.ok(aside?.startsWith(`.removed-${ada.uid}-`), aside);
    assert.deepEqual(others, []);
    assert.ok(problems.length > 0);
    engine.stop = stop;
  });

  describe('a box that ends by itself', () => {
    it('is said to have run out of memory, and starts again when asked for', async () => {
      const first = await boxes.ensure(ada);
      engine.die('ada', 'out-of-memory', 137);
      const box = await boxes.describe(ada);
      assert.equal(box.state, 'failed');
      assert.match(box.detail ?? '', /ran out of memory \(limit 2 GiB\)/);
      assert.equal(boxes.running(ada.userId), undefined);
      await assert.rejects(first.boxd.stat(), code('box-unavailable'));
      assert.notEqual(await boxes.ensure(ada), first);
      assert.equal((await boxes.describe(ada)).detail, undefined);
    });

    it('ends the wait for it when it does so while it starts', async () => {
      onStarted = async () => {
        engine.die('ada', 'exited', 1);
        return [];
      };
      await assert.rejects(boxes.ensure(ada), code('box-start-failed'));
    });

    it('tells that a program was ended for lack of memory while the box runs on', async () => {
      await boxes.ensure(ada);
      for (const watcher of engine.watchers) watcher.onMemoryKill('ada');
      const box = await boxes.describe(ada);
      assert.equal(box.state, 'running');
      assert.match(box.detail ?? '', /limit 2 GiB/);
    });
  });

  it('leaves a box alone that is only slow to answer, with all that runs in it', async () => {
    const box = await boxes.ensure(ada);
    const { local, answer } = silence();
    const looking = boxes.endUnanswering(box);
    await until(() => local.asked > 0);
    await delay(1_500);
    answer();
    await looking;
    assert.equal(boxes.running(ada.userId), box);
    assert.equal(engine.boxes.size, 1);
  });

  describe('a box that does not answer', () => {
    let nowMs: number;
    beforeEach(() => {
      nowMs = performance.now();
      mock.timers.enable({ apis: ['setInterval'] });
      mock.method(performance, 'now', () => nowMs);
    });
    afterEach(() => {
      mock.timers.reset();
      mock.restoreAll();
    });
    async function pass(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 500) {
        nowMs += 500;
        mock.timers.tick(500);
        await new Promise(setImmediate);
      }
    }

    it('is woken, says so within 3 s to who watches it, and that it answers again', async () => {
      const box = await boxes.ensure(ada);
      const { answer } = silence();
      const told: boolean[] = [];
      boxes.onSilence((_, isSilent) => told.push(isSilent));
      const leave = box.pulse.attend();
      await pass(3_000);
      assert.deepEqual(told, [true]);
      assert.equal(engine.wakes, 1);
      const described = await boxes.describe(ada);
      assert.deepEqual([described.state, described.stopsAtMs], ['running', null]);
      assert.ok((described.silentMs ?? 0) >= 1_500);
      answer();
      assert.equal(await box.pulse.answers(), true);
      assert.deepEqual(told, [true, false]);
      assert.equal((await boxes.describe(ada)).silentMs, undefined);
      leave();
    });

    it('is ended for who needs it after 30 s of silence, and not before', async () => {
      const box = await boxes.ensure(ada);
      silence();
      const needed = box.pulse
        .whileAnswering(() => box.boxd.startCommand({ id: 'c', argv: ['true'], cwd: '', environment: {} }))
        .catch(() => boxes.endUnanswering(box));
      await pass(29_000);
      assert.equal(boxes.running(ada.userId), box);
      await pass(1_500);
      await needed;
      assert.equal(boxes.running(ada.userId), undefined);
      assert.equal(engine.boxes.size, 0);
      assert.notEqual(await boxes.ensure(ada), box);
    });

    it('runs on when nobody needs it, however long it is silent', async () => {
      const box = await boxes.ensure(ada);
      silence();
      box.pulse.attend();
      await pass(40_000);
      assert.equal(boxes.running(ada.userId), box);
    });

    it('is restarted at once when its user wants that, also while others wait for its answer', async () => {
      const box = await boxes.ensure(ada);
      silence();
      const waiting = boxes.endUnanswering(box);
      // An answer that was on its way may still come in the first of them.
      await pass(8_000);
      const graces: number[] = [];
      const stop = engine.stop.bind(engine);
      engine.stop = (username, graceMs = 0) => {
        graces.push(graceMs);
        return stop(username);
      };
      assert.notEqual(await boxes.restart(ada), box);
      await waiting;
      assert.equal(engine.starts, 2);
      assert.ok((graces[0] ?? 0) <= 5_000, 'its silence counts as grace');
    });
  });

  it('tells listeners of every change, until they leave', async () => {
    const states: string[] = [];
    const leave = boxes.onChange(async (user) => {
      const { state } = await boxes.describe(user);
      if (states.at(-1) !== state) states.push(state);
    });
    await boxes.ensure(ada);
    await until(() => states.at(-1) === 'running');
    await boxes.stop(ada.userId);
    await until(() => states.at(-1) === 'stopped');
    leave();
    await boxes.ensure(ada);
    assert.equal(states.at(-1), 'stopped');
  });

  describe('idle stop', () => {
    it('comes when nothing has held the box for its time, and says before when', async () => {
      const quick = make({ idleMs: 200 });
      await quick.ensure(ada);
      const { stopsAtMs } = await quick.describe(ada);
      assert.ok(stopsAtMs !== null && stopsAtMs > Date.now() - 50 && stopsAtMs <= Date.now() + 250);
      await until(async () => (await quick.describe(ada)).state === 'stopped');
      assert.equal(engine.boxes.size, 0);
    });

    it('does not come while a viewer is there', async () => {
      const quick = make({ idleMs: 40 });
      engine.onNewBox = (box) => {
        box.terminals = [terminal];
      };
      await quick.ensure(ada);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const box = await quick.describe(ada);
      assert.equal(box.state, 'running');
      assert.deepEqual([box.holders.map(({ kind }) => kind), box.stopsAtMs], [['viewer'], null]);
    });

    it('never leaves anybody with a box that is being stopped (R23)', async () => {
      const quick = make({ idleMs: 60 });
      for (let race = 0; race < 60; race++) {
        const box = await quick.ensure(ada);
        // Whatever a caller does right after it was given the box works.
        await box.boxd.stat();
        await new Promise((resolve) => setTimeout(resolve, 50 + ((race * 7) % 50)));
      }
      assert.ok(engine.starts > 5, `only ${engine.starts} starts: the race was not run`);
      assert.deepEqual(problems, []);
    });
  });

  describe('after a restart of the service', () => {
    it('takes over the boxes that run, and ends those of nobody', async () => {
      await boxes.ensure(ada);
      await boxes.ensure({ ...ada, userId: 'u-gone', username: 'gone' });
      await boxes.close();
      const next = make();
      await next.adopt([ada]);
      assert.equal(engine.starts, 2);
      assert.deepEqual([...engine.boxes.keys()], ['ada']);
      assert.equal((await next.ensure(ada)).startedMs, engine.boxes.get('ada')?.engineBox.startedMs);
      assert.equal(engine.starts, 2);
    });

    it('waits for one that is slow to answer, and tells when it is known', async () => {
      await boxes.ensure(ada);
      await boxes.close();
      const { local, answer } = silence();
      const next = make();
      const adoption = next.adopt([ada]);
      await until(() => local.asked > 0);
      assert.equal(next.running(ada.userId), undefined);
      const adopted = next.adopted(ada.userId);
      answer();
      await adopted;
      assert.notEqual(next.running(ada.userId), undefined);
      await adoption;
      assert.equal(engine.starts, 1);
    });

    it('leaves a box that it still waits for when it stops', async () => {
      await boxes.ensure(ada);
      await boxes.close();
      const { local, answer } = silence();
      const next = make();
      const adoption = next.adopt([ada]);
      await until(() => local.asked > 0);
      await next.close();
      await adoption;
      assert.equal(engine.boxes.size, 1);
      answer();
    });

    it('makes whoever asks meanwhile wait for that', async () => {
      await boxes.ensure(ada);
      await boxes.close();
      const next = make();
      const [, box] = await Promise.all([next.adopt([ada]), next.ensure(ada)]);
      assert.equal(engine.starts, 1);
      assert.equal((await box.boxd.stat()).build, 'b');
    });
  });
});
