import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { Pulse } from './pulse.ts';

const silence = { code: 'box-unavailable' };

describe('the pulse of a box', () => {
  let nowMs: number;
  let asked: PromiseWithResolvers<void>[];
  let changes: { isSilent: boolean; atMs: number }[];
  let pulse: Pulse;
  /** Answers at once, as a box that is well. */
  let isWell: boolean;

  beforeEach(() => {
    nowMs = 0;
    asked = [];
    changes = [];
    isWell = true;
    mock.timers.enable({ apis: ['setInterval'] });
    mock.method(performance, 'now', () => nowMs);
    pulse = new Pulse({
      ask: () => {
        const answer = Promise.withResolvers<void>();
        asked.push(answer);
        if (isWell) answer.resolve();
        return answer.promise;
      },
      onChange: (isSilent) => changes.push({ isSilent, atMs: nowMs }),
    });
  });
  afterEach(() => {
    pulse.close();
    mock.timers.reset();
    mock.restoreAll();
  });

  /** Lets time pass in steps in which the service itself is not held up. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      nowMs += 500;
      mock.timers.tick(500);
      await new Promise(setImmediate);
    }
  }

  it('asks once a second while somebody attends, and not after', async () => {
    const release = pulse.attend();
    await pass(10_000);
    assert.ok(asked.length >= 9 && asked.length <= 11, `${asked.length} questions`);
    release();
    release();
    await pass(2_000);
    const before = asked.length;
    await pass(60_000);
    assert.equal(asked.length, before);
    assert.deepEqual(changes, []);
  });

  it('says within 3 s that a box has fallen silent, wherever between two beats, and at once that it answers', async () => {
    pulse.attend();
    await pass(5_000);
    isWell = false;
    const frozenMs = nowMs;
    await pass(3_000);
    assert.deepEqual(changes.length, 1);
    assert.ok((changes[0]?.atMs ?? 0) - frozenMs <= 3_000);
    assert.equal(pulse.isSilent, true);
    asked.at(-1)?.resolve();
    await new Promise(setImmediate);
    assert.deepEqual([changes.at(-1)?.isSilent, pulse.silentMs], [false, 0]);
  });

  it('fails what is waited for 30 s after the first question without an answer, and not before', async () => {
    isWell = false;
    const release = pulse.attend();
    await pass(10_000);
    // Somebody comes late: for the box it is the same silence.
    let failed: unknown;
    pulse
      .whileAnswering(() => new Promise(() => undefined))
      .catch((error: unknown) => {
        failed = error;
      });
    await pass(19_500);
    assert.deepEqual([failed, pulse.isDead], [undefined, false]);
    await pass(500);
    assert.ok(failed instanceof SpoonError && failed.code === 'box-unavailable');
    assert.equal(pulse.isDead, true);
    await assert.rejects(
      pulse.whileAnswering(() => new Promise(() => undefined)),
      silence,
    );
    assert.equal(await pulse.answers(), false);
    release();
  });

  it('keeps counting when whoever waited has given up', async () => {
    isWell = false;
    const release = pulse.attend();
    await pass(2_000);
    release();
    await pass(28_000);
    assert.equal(pulse.isDead, true);
  });

  it('takes an answer after 29 s for an answer', async () => {
    isWell = false;
    const answers = pulse.answers();
    const work = Promise.withResolvers<string>();
    const waiting = pulse.whileAnswering(() => work.promise);
    await pass(29_000);
    assert.equal(asked.length, 1);
    asked[0]?.resolve();
    assert.equal(await answers, true);
    isWell = true;
    await pass(29_000);
    work.resolve('done');
    assert.equal(await waiting, 'done');
  });

  it('takes nonsense for an answer, and a connection that breaks for none', async () => {
    isWell = false;
    pulse.attend();
    asked[0]?.reject(new SpoonError('box-unavailable'));
    await pass(2_000);
    assert.equal(pulse.isSilent, true);
    assert.ok(asked.length > 1, 'asks again');
    asked.at(-1)?.reject(new SpoonError('box-misbehaved'));
    await new Promise(setImmediate);
    assert.equal(pulse.isSilent, false);
  });

  it('does not take its own suspension for the silence of the box', async () => {
    isWell = false;
    pulse.attend();
    nowMs += 3_600_000;
    mock.timers.tick(500);
    assert.ok(pulse.silentMs <= 1_000);
    assert.equal(pulse.isDead, false);
  });

  it('lets go of who waits when the box is no longer looked after', async () => {
    isWell = false;
    const waiting = assert.rejects(
      pulse.whileAnswering(() => new Promise(() => undefined)),
      silence,
    );
    const answers = pulse.answers();
    pulse.close();
    await waiting;
    assert.equal(await answers, false);
    assert.equal(await pulse.answers(), false);
  });
});
