import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { equalBytes, planSave, type SavePlan, type SeenVersion } from './saveConflict.ts';

const one: SeenVersion = { etag: '"v1-a"', size: 10 };
const sameSize: SeenVersion = { etag: '"v2-b"', size: 10 };
const otherSize: SeenVersion = { etag: '"v2-b"', size: 11 };

const table: [name: string, read: SeenVersion | undefined, checked: SeenVersion | undefined, plan: SavePlan][] = [
  ['nothing is there', undefined, undefined, { kind: 'create' }],
  ['it was deleted elsewhere', one, undefined, { kind: 'create' }],
  ['it is as it was read', one, one, { kind: 'replace', etag: one.etag }],
  ['VS Code has asked about the change', one, otherSize, { kind: 'replace', etag: otherSize.etag }],
  ['VS Code cannot see the change', one, sameSize, { kind: 'compare', etag: sameSize.etag }],
  ['it was never read here', undefined, one, { kind: 'replace', etag: one.etag }],
];

describe('planSave', () => {
  for (const [name, read, checked, plan] of table) {
    it(`${plan.kind}s when ${name}`, () => assert.deepEqual(planSave(read, checked), plan));
  }
});

describe('equalBytes', () => {
  it('compares length and content', () => {
    assert.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
    assert.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
    assert.equal(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2)), false);
  });
});
