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
    const sync = new LogSync({ log, repair: noRepair, onLost: noRepair });
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

  it('trusts no sync after one that failed, until all was made durable by another way; nobody is refused', async () => {
    const log = new SlowLog();
    let repairs = 0;
    const sync = new LogSync({
      log,
      pauseMs: 0,
      repair: async () => {
        repairs += 1;
        if (repairs === 1) throw new Error('the disk is full');
        return repairs === 3;
      },
      onLost: (fault) => assert.fail(String(fault)),
    });
    const first = sync.sync();
    await turn();
    const second = followed(sync.sync());
    await log.end(0, new Error('EIO'));
    await first;
    assert.equal(repairs, 3);
    await turn();
    assert.equal(second.state, 'waits');
    await log.end(1);
    assert.equal(second.state, 'durable');
  });

  it('says that what was committed is lost, once the time is over, and answers nobody who waits', async () => {
    const log = new SlowLog();
    const lost = Promise.withResolvers<unknown>();
    const sync = new LogSync({ log, patienceMs: 20, pauseMs: 1, repair: async () => false, onLost: lost.resolve });
    const waiting = followed(sync.sync());
    await turn();
    await log.end(0, new Error('EIO'));
    assert.equal(String(await lost.promise), 'Error: EIO');
    const later = followed(sync.sync());
    await turn();
    assert.deepEqual([waiting.state, later.state], ['waits', 'waits']);
  });
});
