import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomeUsage } from '../../protocol/homeUsage.ts';
import { HomeSizes } from './homeSizes.ts';

const mebi = 2 ** 20;
const user = { userId: 'ada', username: 'ada', uid: 100_001, shell: '/bin/bash' };

/** A home of some size, in a box that counts it when asked. */
function homeOf(quota: number | null) {
  const home = { usedBytes: 0, counted: 0, nowMs: 0, fails: false, errors: [] as unknown[], quota };
  const usage = async (): Promise<HomeUsage> => {
    home.counted += 1;
    if (home.fails) throw new SpoonError('box-unavailable');
    const disk = { sizeBytes: 0, freeBytes: 0 };
    // A box may say what it likes about its own quota.
    return { usedBytes: home.usedBytes, files: 1, folders: [], disk, truncated: false, quotaBytes: 1 };
  };
  const sizes = new HomeSizes({
    quotas: { limitsOf: () => ({ homeBytes: home.quota }) as never },
    onError: (error) => home.errors.push(error),
    now: () => home.nowMs,
  });
  return { home, sizes, box: { user, boxd: { home: { usage } } } };
}

describe('the size of a home', () => {
  it('is not even counted where there is no quota', async () => {
    const { home, sizes, box } = homeOf(null);
    home.usedBytes = 2 ** 50;
    await sizes.requireRoom(box);
    assert.deepEqual(sizes.notesFor(box), []);
    assert.equal(home.counted, 0);
    assert.equal((await sizes.count(box)).quotaBytes, undefined);
  });

  it('over its quota refuses what is large, says what to do, and takes it again at once when there is room', async () => {
    const { home, sizes, box } = homeOf(10 * mebi);
    home.usedBytes = 12 * mebi;
    await assert.rejects(sizes.requireRoom(box), {
      code: 'home-over-quota',
      detail: /^It holds 12 MiB of at most 10 MiB\. Delete .*spoonctl home usage.* ask your administrator/,
    });
    assert.equal((await sizes.count(box)).quotaBytes, 10 * mebi);
    home.usedBytes = 10 * mebi;
    await sizes.requireRoom(box);
    home.usedBytes += 1;
    await assert.rejects(sizes.requireRoom(box), { code: 'home-over-quota' });
    home.quota = 11 * mebi;
    await sizes.requireRoom(box);
  });

  it('is told to who opens a terminal, who never waits for a count', async () => {
    const { home, sizes, box } = homeOf(10 * mebi);
    home.usedBytes = 12 * mebi;
    assert.deepEqual(sizes.notesFor(box), []);
    await nextTurn();
    assert.match(sizes.notesFor(box).join(), /^Your home is over its quota\. It holds 12 MiB/);
    assert.equal(home.counted, 1);
    home.usedBytes = mebi;
    home.nowMs += 61_000;
    sizes.notesFor(box);
    await nextTurn();
    assert.deepEqual(sizes.notesFor(box), []);
  });

  it('that cannot be counted keeps no terminal from opening', async () => {
    const { home, sizes, box } = homeOf(mebi);
    home.fails = true;
    assert.deepEqual(sizes.notesFor(box), []);
    await nextTurn();
    assert.equal(home.errors.length, 1);
    await assert.rejects(sizes.requireRoom(box), { code: 'box-unavailable' });
  });

  it('is counted once for all who ask meanwhile', async () => {
    const { home, sizes, box } = homeOf(mebi);
    await Promise.all([sizes.count(box), sizes.count(box), sizes.count(box)]);
    assert.equal(home.counted, 1);
  });
});
