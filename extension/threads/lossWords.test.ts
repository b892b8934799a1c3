import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CheckoutLosses } from '../../protocol/threads.ts';
import { lossesInWords } from './lossWords.ts';

const none: CheckoutLosses = {
  unpushed: [],
  unpushedCount: 0,
  unsaved: [],
  unsavedCount: 0,
  stashes: [],
  stashesCount: 0,
  ignored: [],
  ignoredCount: 0,
  unreadable: false,
  confirm: 'x',
};

describe('what a deleted checkout loses', () => {
  it('is named, in short lists with whole counts', () => {
    const unsaved = Array.from({ length: 12 }, (_, index) => `file${index}`);
    const losses = { ...none, unpushed: ['a1b2c3d Fix it'], unpushedCount: 1, unsaved, unsavedCount: 40 };
    const lines = lossesInWords({ losses, terminals: ['vim', 'bash'] });
    assert.deepEqual(lines.slice(0, 3), [
      '1 commit that is nowhere else:',
      '  a1b2c3d Fix it',
      '40 files with unsaved changes:',
    ]);
    assert.equal(lines[11], '  … and 32 more');
    assert.equal(lines.at(-1), '2 terminals in it will have no folder: vim, bash');
  });

  it('is nothing where all is pushed, ignored files apart', () => {
    assert.deepEqual(lossesInWords({ losses: none, terminals: [] }), ['Everything in it is pushed.']);
    const losses = { ...none, ignored: ['.env'], ignoredCount: 1 };
    assert.deepEqual(lossesInWords({ losses, terminals: [] }), [
      'Everything in it is pushed.',
      '1 file that git ignores:',
      '  .env',
    ]);
  });
});
