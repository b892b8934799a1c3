import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseHomePath } from '../../protocol/homePath.ts';
import { DotfileTree, type TreeEntry } from './tree.ts';

const segment = fc.constantFrom('a', 'A', 'b', '.x', 'é', 'É');
const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parseHomePath(parts.join('/')));
const step = fc.record({ put: fc.boolean(), path, kept: fc.boolean() });

function entryOf({ path: name, kept }: { path: TreeEntry['path']; kept: boolean }, id: number): TreeEntry {
  const drift = kept ? { version: 2, base: 1 } : undefined;
  const numbers = { mode: 0o644, size: id, version: 1, lastVersion: 1, createdMs: 1, modifiedMs: 1 };
  return { id: String(id), path: name, kind: 'file', content: '', etag: '', drift, ...numbers };
}

describe('DotfileTree', () => {
  it('answers as a plain list would, after any puts and removals, asked early or late', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), path, fc.boolean(), (steps, asked, askEarly) => {
        const tree = new DotfileTree();
        const list = new Map<string, TreeEntry>();
        if (askEarly) assert.equal(tree.hasBelow(asked), false);
        for (const [index, one] of steps.entries()) {
          const before = tree.sorted();
          if (one.put) {
            const entry = entryOf(one, index);
            tree.put(entry);
            list.set(one.path, entry);
          } else {
            tree.remove(one.path);
            list.delete(one.path);
          }
          assert.notEqual(tree.sorted(), before, 'a new list after each change');
        }
        const all = [...list.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
        const below = all.filter((entry) => entry.path.startsWith(`${asked}/`));
        const names = new Set(
          all.flatMap((entry) => entry.path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'))),
        );
        const spellings = [...names].filter((name) => name !== asked && name.toLowerCase() === asked.toLowerCase());
        assert.equal(tree.size, list.size);
        assert.equal(
          tree.bytes,
          all.reduce((sum, { size }) => sum + size, 0),
        );
        assert.equal(
          tree.hasKeptEdits,
          all.some(({ drift }) => drift !== undefined),
        );
        assert.deepEqual(tree.sorted(), all);
        assert.equal(tree.get(asked), list.get(asked));
        assert.equal(tree.hasBelow(asked), below.length > 0);
        assert.deepEqual(tree.below(asked), below);
        assert.deepEqual(tree.otherSpellings(asked).sort(), spellings.sort());
        for (const entry of all) tree.put({ ...entry, drift: undefined });
        assert.equal(tree.hasKeptEdits, false, 'all have been looked at');
      }),
      { numRuns: 500 },
    );
  });
});
