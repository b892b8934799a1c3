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
  /** A person takes longer between two acts than a binding between its toggles. */
  const pause = (ms = 1_000): void => {
    nowMs += ms;
  };

  it('is the row that was toggled there and back', () => {
    const row = rows(['a']);
    pause();
    row.selectionChanged(['a', 'b']);
    row.selectionChanged(['a']);
    assert.deepEqual(row.take(), ['b']);
  });

  it('is the whole selection when it is a part of that', () => {
    const row = rows(['a', 'b']);
    pause();
    row.selectionChanged(['a']);
    row.selectionChanged(['b', 'a']);
    assert.deepEqual(row.take(), ['b', 'a']);
  });

  it('is known where nothing was selected before', () => {
    assert.deepEqual(rows(['a'], []).take(), ['a']);
  });

  it('is the one of its time when the command comes after the next click', () => {
    const row = rows(['a']);
    pause();
    row.selectionChanged([]);
    row.selectionChanged(['a']);
    row.selectionChanged(['folder']);
    assert.deepEqual(row.take(), ['a']);
  });

  it('is one for each of two quick keys, in their order', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [[], ['a'], ['folder'], [], ['folder']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take(), row.take()], [['a'], ['folder'], undefined]);
  });

  it('is one for each of two keys on the same row', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [[], ['a'], [], ['a']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take(), row.take()], [['a'], ['a'], undefined]);
  });

  it('is not taken for the row of a Ctrl+click just before', () => {
    const row = rows(['a']);
    pause();
    for (const selection of [['a', 'b'], ['a'], ['a', 'b']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [['a', 'b'], undefined]);
    pause();
    for (const selection of [['a'], ['a', 'b'], ['a']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [['b'], undefined]);
  });

  it('is not known from clicks, nor from toggles that no command followed', () => {
    const clicked = rows();
    for (const selection of [['a'], ['a', 'b'], ['a']]) {
      pause();
      clicked.selectionChanged(selection);
    }
    assert.equal(clicked.take(), undefined);
    const row = rows(['a'], [], ['a']);
    pause(6_000);
    assert.equal(row.take(), undefined);
  });
});
