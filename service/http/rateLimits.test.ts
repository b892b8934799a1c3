import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { createRateLimits, TokenBuckets } from './rateLimits.ts';

function bucketsAt(clock: { nowMs: number }, maxKeys = 100): TokenBuckets {
  return new TokenBuckets({ perSecond: 10, burst: 3, now: () => clock.nowMs, maxKeys });
}

function retryAfter(work: () => void): number | undefined {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SpoonError && error.code === 'too-many-requests');
    return Number(error.extra.retryAfterSeconds);
  }
  return undefined;
}

describe('token buckets', () => {
  it('take a burst, then hold the rate', () => {
    const clock = { nowMs: 0 };
    const buckets = bucketsAt(clock);
    for (let count = 0; count < 3; count++) buckets.take('a');
    assert.equal(
      retryAfter(() => buckets.take('a')),
      1,
    );
    clock.nowMs = 100;
    buckets.take('a');
    assert.equal(
      retryAfter(() => buckets.take('a')),
      1,
    );
  });

  it('never hold more than the burst', () => {
    const clock = { nowMs: 0 };
    const buckets = bucketsAt(clock);
    buckets.take('a');
    clock.nowMs = 1e9;
    for (let count = 0; count < 3; count++) buckets.take('a');
    assert.equal(
      retryAfter(() => buckets.take('a')),
      1,
    );
  });

  it('are apart by key', () => {
    const buckets = bucketsAt({ nowMs: 0 });
    for (let count = 0; count < 3; count++) buckets.take('a');
    buckets.take('b');
  });

  it('forget who was longest away, not who is busy', () => {
    const buckets = bucketsAt({ nowMs: 0 }, 2);
    for (let count = 0; count < 3; count++) buckets.take('busy');
    for (const key of ['b', 'c', 'd']) {
      buckets.take(key);
      assert.equal(
        retryAfter(() => buckets.take('busy')),
        1,
      );
    }
  });

  it('let a folder of a thousand files through at once', () => {
    const { requests } = createRateLimits(() => 0);
    for (let count = 0; count < 1_000; count++) requests.take('token');
  });
});
