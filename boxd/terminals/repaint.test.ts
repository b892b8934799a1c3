import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Repaint } from './repaint.ts';

const [small, middle, large] = [10, 20, 30].map((rows) => ({ columns: 80, rows }));

describe('a full-screen program whose window changes its size', () => {
  let given: number[];
  let isFullScreen: boolean;
  let repaint: Repaint;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    given = [];
    isFullScreen = true;
    repaint = new Repaint(middle ?? assert.fail(), {
      resize: ({ rows }) => given.push(rows),
      get isFullScreen() {
        return isFullScreen;
      },
    });
  });
  afterEach(() => {
    repaint.close();
    mock.timers.reset();
  });
  const resize = (...sizes: (typeof small)[]) => {
    for (const size of sizes) repaint.onResize(size ?? assert.fail());
  };

  it('is shown another size for a moment when it ends with the one that it knows', () => {
    resize(small, middle);
    mock.timers.tick(250);
    assert.deepEqual(given, [19]);
    repaint.onOutput();
    assert.deepEqual(given, [19], 'this may have been on its way');
    mock.timers.tick(250);
    assert.deepEqual(given, [19, 20]);
    repaint.onOutput();
    mock.timers.tick(10_000);
    assert.deepEqual(given, [19, 20]);
  });

  it('is waited for where it is slow', () => {
    resize(small, middle);
    mock.timers.tick(250);
    mock.timers.tick(250);
    mock.timers.tick(1_000);
    assert.deepEqual(given, [19]);
    repaint.onOutput();
    assert.deepEqual(given, [19, 20]);
  });

  it('gets its row back also when it draws nothing', () => {
    resize(small, middle);
    mock.timers.tick(250);
    mock.timers.tick(250);
    mock.timers.tick(1_750);
    assert.deepEqual(given, [19, 20]);
  });

  it('is left alone when it has a size that it does not know, or had time for each', () => {
    resize(small, large);
    mock.timers.tick(10_000);
    resize(middle);
    mock.timers.tick(10_000);
    resize(large);
    mock.timers.tick(10_000);
    assert.deepEqual(given, []);
  });

  it('is left alone when it is no full-screen program', () => {
    isFullScreen = false;
    resize(small, middle);
    mock.timers.tick(10_000);
    assert.deepEqual(given, []);
  });

  it('has the size of its window when that changes meanwhile', () => {
    resize(small, middle);
    mock.timers.tick(250);
    resize(large);
    repaint.onOutput();
    mock.timers.tick(10_000);
    assert.deepEqual(given, [19]);
  });
});
