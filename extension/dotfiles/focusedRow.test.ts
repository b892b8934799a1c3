import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FocusedRow } from './focusedRow.ts';

describe('FocusedRow', () => {
  let nowMs = 0;
  function rows(...selections: readonly (readonly string[])[]): FocusedRow<string> {
    const row = new FocusedRow<string>(() => nowMs);
    for (const selection of selections) row.selectionChanged(selection);
    return row;
  }
  const pause = (ms = 1_000): void => {
    nowMs += ms;
  };

  it('is the row that was toggled there and back', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [['a', 'b'], ['a'], ['a', 'b'], ['a']]) row.selectionChanged(selection);
    assert.deepEqual(row.take(), ['b']);
  });

  it('is that row where the extension host was busy between any two of the toggles', () => {
    const toggles = [['a', 'b'], ['a'], ['a', 'b'], ['a']];
    for (const stalled of [1, 2, 3]) {
      const row = rows(['a']);
      for (const [index, selection] of toggles.entries()) {
        if (index === stalled) pause(3_000);
        row.selectionChanged(selection);
      }
      pause(3_000);
      assert.deepEqual(row.take(), ['b']);
    }
  });

  it('is the whole selection when it is a part of that', () => {
    const row = rows(['a', 'b']);
    pause();
    for (const selection of [['a'], ['b', 'a'], ['a'], ['b', 'a']]) row.selectionChanged(selection);
    assert.deepEqual(row.take(), ['b', 'a']);
  });

  it('is known where nothing was selected before', () => {
    assert.deepEqual(rows(['a'], [], ['a'], []).take(), ['a']);
  });

  it('is the one of its time when the command comes after the next click', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [[], ['a'], [], ['a'], ['folder']]) row.selectionChanged(selection);
    assert.deepEqual(row.take(), ['a']);
  });

  it('is one for each of two quick keys, in their order', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [[], ['a'], [], ['a'], ['folder'], [], ['folder'], [], ['folder']])
      row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take(), row.take()], [['a'], ['folder'], undefined]);
  });

  it('is one for each of two keys on the same row', () => {
    const row = rows(['a']);
    pause();
    for (let toggle = 0; toggle < 4; toggle++) for (const selection of [[], ['a']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take(), row.take()], [['a'], ['a'], undefined]);
  });

  it('is not taken for the row of Ctrl+clicks just before', () => {
    const row = rows(['a']);
    const [both, one] = [['a', 'b'], ['a']];
    for (const selection of [both, one, both, one, both]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [both, undefined]);
    // The second click, and the key on it; what the mouse did before the last key is over.
    for (const selection of [one, both, one, both, one]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [['b'], undefined]);
    for (const selection of [both, one, both]) row.selectionChanged(selection);
    for (const selection of [[...both, 'c'], both, [...both, 'c'], both]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [['c'], undefined]);
  });

  it('is not known from clicks, nor from toggles that no command followed', () => {
    const clicked = rows();
    for (const selection of [['a'], ['a', 'b'], ['a'], ['a', 'b']]) {
      pause();
      clicked.selectionChanged(selection);
    }
    assert.equal(clicked.take(), undefined);
    const row = rows(['a'], [], ['a'], [], ['a']);
    pause(31_000);
    assert.equal(row.take(), undefined);
  });
});
