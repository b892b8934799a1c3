import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OverlayEntry, OverlayOutcome } from '../../protocol/boxd.ts';
import { appliedFrom, diffOverlays } from './overlayDiff.ts';

const file = (path: string, content = 'c', mode = 0o644): OverlayEntry => ({
  path,
  kind: 'file',
  mode,
  size: 1,
  content,
});

describe('the difference of two overlays', () => {
  const cases: [string, OverlayEntry[], OverlayEntry[], string[], string[]][] = [
    ['nothing', [file('a')], [file('a')], [], []],
    ['a new file', [], [file('a')], ['a'], []],
    ['a changed file', [file('a')], [file('a', 'd')], ['a'], []],
    ['a changed mode', [file('a')], [file('a', 'c', 0o755)], ['a'], []],
    ['a changed kind', [file('a')], [{ ...file('a'), kind: 'symlink' }], ['a'], []],
    ['a removed file', [file('a'), file('b')], [file('b')], [], ['a']],
    ['a moved file', [file('a')], [file('b')], ['b'], ['a']],
  ];
  for (const [name, before, after, entries, removed] of cases) {
    it(`of ${name}`, () => {
      const diff = diffOverlays(before, after);
      assert.deepEqual(
        diff.entries.map(({ path }) => path),
        entries,
      );
      assert.deepEqual(diff.removed, removed);
    });
  }
});

describe('what became of a save', () => {
  const cases: [OverlayOutcome, string, RegExp][] = [
    [{ path: 'a', result: 'written' }, 'applied', /^$/],
    [{ path: 'a', result: 'unchanged' }, 'applied', /^$/],
    [{ path: 'a', result: 'removed' }, 'applied', /^$/],
    [{ path: 'a', result: 'kept' }, 'conflict', /left in the home/],
    [{ path: 'a', result: 'written', backup: 'b', backupKind: 'edit' }, 'conflict', /kept as a version/],
    [{ path: 'a', result: 'written', backup: 'b', backupKind: 'symlink' }, 'applied', /symbolic link/],
    [{ path: 'a', result: 'refused', code: 'path-through-symlink' }, 'refused', /leaves the home/],
    [{ path: 'a', result: 'refused', code: '\u001b[31m', detail: '\u001b' }, 'refused', /The box refused it/],
  ];
  for (const [outcome, state, detail] of cases) {
    it(`${outcome.result} ${outcome.backupKind ?? outcome.code ?? ''} is ${state}`, () => {
      const applied = appliedFrom(outcome);
      assert.equal(applied.state, state);
      assert.match(applied.detail ?? '', detail);
    });
  }
});
