import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogSync } from './logSync.ts';

/** A log whose syncs end when the test says so. */
class SlowLog {
  readonly begun: PromiseWithResolvers<void>[] = [];

  async datasync(): Promise<void> {
    const one = Promise.withResolvers<void>();
    this.begun.push(one);
    await one.promise;
  }

  end(index: number, error?: Error): Promise<void> {
    if (error === undefined) this.begun[index]?.resolve();
    else this.begun[index]?.reject(error);
    return turn();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const noRepair = () => assert.fail('nothing is broken');

function followed(promise: Promise<void>): { state: string } {
  const one = { state: 'waits' };
  promise.then(
    () => {
      one.state = 'durable';
    },
    (error: Error) => {
      one.state = error.message;
    },
  );
  return one;
}

describe('LogSync', () => {
  it('tells nobody that a commit is durable by a sync that began before it; one serves all who wait', async () => {
    const log = new SlowLog();
    const sync = new LogSync(log, noRepair);
    const first = followed(sync.sync());
    await turn();
    const late = [followed(sync.sync()), followed(sync.sync())];
    await turn();
    assert.equal(log.begun.length, 1);
    await log.end(0);
    assert.deepEqual(
      [first, ...late].map(({ state }) => state),
      ['durable', 'waits', 'waits'],
    );
    assert.equal(log.begun.length, 2);
    await log.end(1);
    assert.deepEqual(
      late.map(({ state }) => state),
      ['durable', 'durable'],
    );
    await sync.settle();
  });

  it('trusts no sync after one that failed, until all was made durable by another way', async () => {
    const log = new SlowLog();
    const repairs: string[] = [];
    let canRepair = false;
    const sync = new LogSync(log, async (fault) => {
      repairs.push(String(fault));
      if (!canRepair) throw new Error('not durable');
    });
    const first = followed(sync.sync());
    await turn();
    await log.end(0, new Error('EIO'));
    assert.equal(first.state, 'not durable');
    const second = followed(sync.sync());
    await turn();
    assert.equal(second.state, 'not durable');
    canRepair = true;
    const third = followed(sync.sync());
    await turn();
    assert.equal(third.state, 'durable');
    assert.deepEqual(repairs, ['Error: EIO', 'Error: EIO', 'Error: EIO']);
    assert.equal(log.begun.length, 1);
    const fourth = followed(sync.sync());
    await turn();
    assert.equal(log.begun.length, 2);
    await log.end(1);
    assert.equal(fourth.state, 'durable');
  });
});
