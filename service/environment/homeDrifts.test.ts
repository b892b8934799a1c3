import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { DriftReport, HomeDrift } from '../../protocol/boxd.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { RunningBox } from '../boxes/boxes.ts';
import { saveOf, TestUsers } from '../dotfiles/testUsers.fixture.ts';
import { HomeDrifts } from './homeDrifts.ts';

const inHome = { kind: 'file', mode: 0o644, size: 1, modifiedMs: 1 } as const;
const drift = (path: string): HomeDrift => ({ path, state: 'modified', home: inHome, base: 'unknown' });

/** A box that answers as it is told; `next` resolves when it is asked again. */
class ToldBox {
  readonly box: RunningBox;
  readonly asked: number[] = [];
  readonly #answers: (DriftReport | SpoonError)[] = [];
  #wake: (() => void) | undefined;
  running = true;

  constructor() {
    const ask = async (after: number, signal: AbortSignal): Promise<DriftReport> => {
      this.asked.push(after);
      while (this.#answers.length === 0) {
        await new Promise<void>((resolve, reject) => {
          this.#wake = resolve;
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        });
      }
      const answer = this.#answers.shift();
      if (answer instanceof SpoonError || answer === undefined) throw answer;
      return answer;
    };
    this.box = { user: { userId: 'ada' }, boxd: { drift: ask } } as unknown as RunningBox;
  }

  say(answer: DriftReport | SpoonError): void {
    this.#answers.push(answer);
    this.#wake?.();
  }
}

async function setUp(t: TestContext) {
  const users = await TestUsers.open(t, 'ada');
  await users.dotfiles.save('ada', saveOf('mine', 'x'));
  const told = new ToldBox();
  const events: SpoonEvent[] = [];
  const errors: unknown[] = [];
  let heard: (() => void) | undefined;
  const drifts = new HomeDrifts({
    dotfiles: users.dotfiles,
    reachable: () => (told.running ? told.box : undefined),
    publish: (_, event) => {
      events.push(event);
      heard?.();
    },
    onError: (error) => errors.push(error),
  });
  t.after(() => drifts.close());
  drifts.follow(told.box);
  const event = () => new Promise<void>((resolve) => (heard = resolve));
  return { users, told, drifts, events, errors, event };
}

describe('what boxes say about their homes', () => {
  it('counts for files that their user has, and for no others', async (t) => {
    const { told, drifts, events, event } = await setUp(t);
    const news = event();
    told.say({ sequence: 7, drifts: [drift('mine'), drift('not-mine'), drift('../../etc/passwd')] });
    await news;
    assert.equal(events.length, 1);
    const { drifts: listed, watching } = await drifts.list('ada');
    assert.equal(watching, true);
    // The base is unknown: the overlay has something else than what the edit was made on.
    assert.deepEqual(
      listed.map(({ path, state, baseVersion }) => [path, state, baseVersion]),
      [['mine', 'conflict', undefined]],
    );
  });

  it('is told once, and again only when it is something else', async (t) => {
    const { told, events, event } = await setUp(t);
    const first = event();
    told.say({ sequence: 1, drifts: [drift('mine')] });
    await first;
    const second = event();
    for (let sequence = 2; sequence < 5; sequence++) told.say({ sequence, drifts: [drift('mine')] });
    told.say({ sequence: 5, drifts: [] });
    await second;
    assert.deepEqual(
      events.map((one) => one.type === 'dotfile.drift' && [one.drifts.length, one.cleared]),
      [
        [1, []],
        [0, ['mine']],
      ],
    );
    assert.deepEqual(told.asked.slice(0, 2), [0, 1]);
  });

  it('is over when the box is', async (t) => {
    const { told, drifts, events, event, errors } = await setUp(t);
    const first = event();
    told.say({ sequence: 1, drifts: [drift('mine')] });
    await first;
    const second = event();
    told.running = false;
    told.say(new SpoonError('box-unavailable'));
    await second;
    assert.deepEqual(events.at(-1), { type: 'dotfile.drift', drifts: [], cleared: ['mine'] });
    assert.deepEqual(await drifts.list('ada'), { watching: false, drifts: [] });
    assert.deepEqual(errors, [], 'that a box ends is no failure');
  });

  it('is asked again after a failure, and no more of a box of an older Spoon', async (t) => {
    const { told, errors, event } = await setUp(t);
    const news = event();
    told.say(new SpoonError('box-misbehaved'));
    told.say({ sequence: 3, drifts: [drift('mine')] });
    await news;
    assert.equal(errors.length, 1);
    const cleared = event();
    told.say(new SpoonError('not-found'));
    await cleared;
    assert.equal(errors.length, 1);
  });
});
