import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { systemReason } from './systemReason.ts';

describe('systemReason', () => {
  it('is what the system said and nothing around it', () => {
    assert.throws(
      () => readFileSync('/'),
      (error) => systemReason(error) === 'illegal operation on a directory',
    );
  });

  it('is nobody’s for a bug', () => {
    const bug = new TypeError('x is not a function');
    assert.throws(() => systemReason(bug), bug);
  });
});
