import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { programFailure } from './runInBox.ts';

describe('what a failed archive means for a person', () => {
  it('says that the disk is full, and what helps', () => {
    for (const why of ['No space left on device', 'Disk quota exceeded']) {
      const end = {
        code: 2,
        complaints: ['tar: ./a: Wrote only 512 of 10240 bytes', `tar: ./b: Cannot write: ${why}`],
      };
      const { code, message } = programFailure(end, 'Nothing was imported.');
      assert.equal(code, 'insufficient-storage');
      assert.match(message, /Nothing was imported\. Delete what is large; spoonctl home usage shows it/);
    }
  });

  it('passes on what the program said, or at least its code', () => {
    const said = { code: 2, complaints: ['tar: ./a: Cannot open: Permission denied'] };
    assert.match(programFailure(said, 'Nothing was imported.').message, /Nothing was imported\. \.\/a: Cannot open/);
    assert.match(programFailure({ code: 137, complaints: [] }, 'Nothing.').message, /Nothing\. The box says 137\./);
  });
});
