import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WatchedPaths } from './watchedPaths.ts';

describe('WatchedPaths', () => {
  it('counts, so that one who leaves takes nothing from the others', () => {
    const paths = new WatchedPaths();
    const first = paths.add({ path: 'Code/api', recursive: true });
    const second = paths.add({ path: 'Code/api', recursive: true });
    first();
    first();
    assert.deepEqual(paths.folders(), [{ path: 'Code/api', recursive: true }]);
    second();
    assert.deepEqual(paths.folders(), []);
  });

  it('asks for nothing twice', () => {
    const paths = new WatchedPaths();
    paths.add({ path: 'Code/api/src', recursive: false });
    paths.add({ path: 'Code/api', recursive: false });
    paths.add({ path: 'Code/api', recursive: true });
    paths.add({ path: 'Code/apis', recursive: false });
    assert.deepEqual(paths.folders(), [
      { path: 'Code/api', recursive: true },
      { path: 'Code/apis', recursive: false },
    ]);
  });

  it('covers a folder, what is in it, and with recursive all below', () => {
    const paths = new WatchedPaths();
    paths.add({ path: 'a', recursive: false });
    paths.add({ path: 'b', recursive: true });
    assert.deepEqual(
      ['a', 'a/x', 'a/x/y', 'b/x/y', 'bb', ''].map((path) => paths.covers(path)),
      [true, true, false, true, false, false],
    );
  });
});
