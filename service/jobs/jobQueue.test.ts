import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextJob, type WaitingJob } from './jobQueue.ts';

const job = (id: string, userId: string, threadId = `thread-${id}`): WaitingJob => ({ id, userId, threadId });

/** Runs a crowd to its end, each job until the next one has started. @returns the order of the starts */
function order(jobs: readonly WaitingJob[], maxRunning: number): string[] {
  const waiting = [...jobs];
  const running: WaitingJob[] = [];
  const lastStarted = new Map<string, number>();
  const started: string[] = [];
  while (waiting.length > 0) {
    const next = nextJob({ waiting, running, maxRunning, lastStarted });
    if (next === undefined) {
      assert.ok(running.length > 0, 'something runs, or something is started');
      running.shift();
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    running.push(next);
    lastStarted.set(next.userId, started.length);
    started.push(next.id);
  }
  return started;
}

describe('the queue of jobs', () => {
  it('starts those of one user in the order in which they came', () => {
    assert.deepEqual(order([job('1', 'a'), job('2', 'a'), job('3', 'a')], 1), ['1', '2', '3']);
  });

  it('lets a user with many not keep out one with few', () => {
    const many = Array.from({ length: 100 }, (_, index) => job(`a${index}`, 'a'));
    assert.deepEqual(order([...many, job('b', 'b')], 1).slice(0, 2), ['a0', 'b']);
    assert.deepEqual(order([...many, job('b', 'b'), job('c', 'c')], 2).slice(0, 3), ['a0', 'b', 'c']);
  });

  it('takes users in turn', () => {
    const crowd = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((id) => job(id, id.charAt(0)));
    assert.deepEqual(order(crowd, 1), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('lets one job into a checkout, and others past it', () => {
    const crowd = [job('1', 'a', 'x'), job('2', 'a', 'x'), job('3', 'a', 'y')];
    const none = new Map<string, number>();
    const running = [job('1', 'a', 'x')];
    assert.equal(nextJob({ waiting: crowd.slice(1), running, maxRunning: 2, lastStarted: none })?.id, '3');
    assert.equal(nextJob({ waiting: crowd.slice(1, 2), running, maxRunning: 2, lastStarted: none }), undefined);
    assert.equal(nextJob({ waiting: [job('4', 'b')], running, maxRunning: 1, lastStarted: none }), undefined);
  });
});
