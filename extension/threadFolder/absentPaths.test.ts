import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AbsentPaths } from './absentPaths.ts';

describe('AbsentPaths', () => {
  it('knows what was not there until it, or a folder above it, comes', () => {
    const absent = new AbsentPaths();
    for (const path of ['m/.git', 'm/.vscode/a', 'm/.vscode/b', 'm/.vscodes']) absent.add(path);
    absent.forget('m/.vscode');
    assert.deepEqual(
      ['m/.git', 'm/.vscode/a', 'm/.vscode/b', 'm/.vscodes'].map((path) => absent.has(path)),
      [true, false, false, true],
    );
    absent.clear();
    assert.equal(absent.has('m/.git'), false);
  });

  it('knows it for a moment only', () => {
    let nowMs = 0;
    const absent = new AbsentPaths({ now: () => nowMs });
    absent.add('a');
    nowMs = 2_999;
    assert.equal(absent.has('a'), true);
    nowMs = 3_000;
    assert.equal(absent.has('a'), false);
  });

  it('does not grow without end', () => {
    const absent = new AbsentPaths({ max: 2 });
    for (const path of ['a', 'b', 'c']) absent.add(path);
    assert.deepEqual(
      ['a', 'b', 'c'].map((path) => absent.has(path)),
      [false, false, true],
    );
  });
});
