import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FocusedRow } from './focusedRow.ts';

describe('FocusedRow', () => {
  function rows(...selections: readonly (readonly string[])[]): FocusedRow<string> {
    const row = new FocusedRow<string>();
    for (const selection of selections) row.selectionChanged(selection);
    return row;
  }

  it('is the row that was toggled there and back', () => {
    assert.deepEqual(rows(['a'], ['a', 'b'], ['a']).take(), ['b']);
  });

  it('is the whole selection when it is a part of that', () => {
    assert.deepEqual(rows(['a', 'b'], ['a'], ['b', 'a']).take(), ['b', 'a']);
  });

  it('is known where nothing was selected before', () => {
    assert.deepEqual(rows(['a'], [], ['a'], []).take(), ['a']);
  });

  it('is one for each of two keys, on the same row or on another', () => {
    const row = rows(['a'], [], ['a']);
    assert.deepEqual(row.take(), ['a']);
    for (const selection of [[], ['a']]) row.selectionChanged(selection);
    assert.deepEqual(row.take(), ['a']);
    for (const selection of [['a', 'b'], ['a']]) row.selectionChanged(selection);
    assert.deepEqual([row.take(), row.take()], [['b'], undefined]);
  });

  it('is not taken for the row of Ctrl+clicks before, however many', () => {
    const clicks = Array.from({ length: 7 }, (_, click) => (click % 2 === 0 ? ['a', 'b'] : ['a']));
    const [on, elsewhere] = [rows(['a'], ...clicks), rows(['a'], ...clicks)];
    for (const selection of [['a'], ['a', 'b']]) on.selectionChanged(selection);
    assert.deepEqual(on.take(), ['a', 'b']);
    for (const selection of [
      ['a', 'b', 'c'],
      ['a', 'b'],
    ])
      elsewhere.selectionChanged(selection);
    assert.deepEqual(elsewhere.take(), ['c']);
  });

  it('is not known where nothing was toggled for the key', () => {
    for (const selections of [[], [['a']], [['a'], ['b']], [['a'], [], ['a'], ['b']], [['a'], ['a', 'b']]]) {
      assert.equal(rows(...selections).take(), undefined);
    }
  });
});
