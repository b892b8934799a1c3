import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { WebSocket } from 'ws';
import { deadAfterMs, pingIntervalMs } from '../../protocol/limits.ts';
import { watchLiveness } from './viewerLiveness.ts';

/** The box's end of a WebSocket whose other end may have gone without a word. */
class Line extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  pings = 0;
  answers = true;
  terminated = false;
  closed: number | undefined;
  ping(): void {
    this.pings++;
    if (this.answers) this.emit('pong');
  }
  terminate(): void {
    this.terminated = true;
  }
  close(code: number): void {
    this.closed = code;
  }
}

describe('the liveness of a viewer', () => {
  let line: Line;
  let nowMs: number;
  let stop: () => void;
  beforeEach(() => {
    nowMs = 1_000;
    mock.timers.enable({ apis: ['setInterval', 'Date'] });
    mock.method(performance, 'now', () => nowMs);
    line = new Line();
    stop = watchLiveness(line as unknown as WebSocket, new PassThrough(), () => true);
  });
  afterEach(() => {
    stop();
    mock.reset();
    mock.timers.reset();
  });
  function pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += pingIntervalMs) {
      nowMs += pingIntervalMs;
      mock.timers.tick(pingIntervalMs);
    }
  }

  it('is asked for, and leaves alone who answers', () => {
    pass(10 * deadAfterMs);
    assert.ok(line.pings > 10);
    assert.ok(!line.terminated);
  });

  it('ends the connection of one that says nothing any more', () => {
    line.answers = false;
    pass(2 * pingIntervalMs);
    assert.ok(!line.terminated);
    pass(pingIntervalMs);
    assert.ok(line.terminated, 'after at most 60 s, of which 45 in silence');
  });

  it('does not take a clock that jumps for silence', () => {
    for (const jump of [365 * 86_400_000, -365 * 86_400_000]) {
      mock.timers.setTime(Date.now() + Math.max(jump, -Date.now()));
      line.answers = false;
      pass(pingIntervalMs);
      assert.ok(!line.terminated);
      line.answers = true;
      pass(pingIntervalMs);
    }
    assert.ok(!line.terminated);
  });
});
