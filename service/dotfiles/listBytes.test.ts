import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseHomePath } from '../../protocol/homePath.ts';
import { listBytesOf } from './listBytes.ts';
import { DotfileTree, dotfileOf, type TreeEntry } from './tree.ts';

const names = Array.from({ length: 180 }, (_, index) => `.config/${index}-é"`);
const steps = fc.array(
  fc.record({ put: fc.boolean(), first: fc.nat(names.length - 1), count: fc.integer({ min: 1, max: 120 }) }),
  { maxLength: 12 },
);

function entryOf(path: string, version: number): TreeEntry {
  const numbers = { mode: 0o644, size: version, version, lastVersion: version, createdMs: 1, modifiedMs: version };
  return { id: path, path: parseHomePath(path), kind: 'file', content: '', etag: `"v${version}"`, ...numbers };
}

describe('listBytesOf', () => {
  it('is the list as JSON, after any puts and removals', () => {
    fc.assert(
      fc.property(steps, fc.nat(2), (changes, damaged) => {
        const tree = new DotfileTree();
        tree.damaged = damaged;
        for (const [index, { put, first, count }] of changes.entries()) {
          for (const name of names.slice(first, first + count)) {
            if (put) tree.put(entryOf(name, index));
            else tree.remove(parseHomePath(name));
          }
          const expected = { dotfiles: tree.sorted().map(dotfileOf), ...(damaged === 0 ? {} : { damaged }) };
          assert.equal(listBytesOf(tree).toString(), JSON.stringify(expected));
        }
      }),
      { numRuns: 200 },
    );
  });
});
