import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OverlayEntry } from '../../protocol/boxd.ts';
import { diffOverlay, snapshotOf } from './overlayDiff.ts';

const file = (path: string, content: string, mode = 0o644): OverlayEntry => ({
  path,
  kind: 'file',
  mode,
  size: content.length,
  content,
});

describe('overlay diff', () => {
  const known = snapshotOf([file('a', 'one'), file('b', 'two')]);
  const cases: [string, OverlayEntry[], string[], string[]][] = [
    ['nothing for the same overlay', [file('a', 'one'), file('b', 'two')], [], []],
    ['what is new', [file('a', 'one'), file('b', 'two'), file('c', 'x')], ['c'], []],
    ['other bytes', [file('a', 'other'), file('b', 'two')], ['a'], []],
    ['another mode', [file('a', 'one', 0o600), file('b', 'two')], ['a'], []],
    ['another kind', [{ ...file('a', 'one'), kind: 'symlink' }, file('b', 'two')], ['a'], []],
    ['what is gone', [file('b', 'two')], [], ['a']],
    ['a move as both', [file('b', 'two'), file('z', 'one')], ['z'], ['a']],
  ];
  for (const [name, wanted, entries, removed] of cases) {
    it(`sends ${name}`, () => {
      const diff = diffOverlay(known, wanted);
      assert.deepEqual(
        diff.entries.map((entry) => entry.path),
        entries,
      );
      assert.deepEqual(diff.removed, removed);
    });
  }

  it('sends everything to a box that has nothing', () => {
    assert.equal(diffOverlay(new Map(), [file('a', 'one'), file('b', 'two')]).entries.length, 2);
  });
});
