import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { readRegularFile } from './homeFiles.ts';
import { PinnedFolder, walkFlags } from './pinnedFolder.ts';

describe('readRegularFile', () => {
  it('stops at its limit in a file that has more than it said (row 25)', () => {
    // The kernel says 0 bytes and has thousands (proc(5)): the same as a file that grows after its size was asked for.
    const fd = openSync(`/proc/${process.pid}`, walkFlags);
    try {
      const folder = new PinnedFolder(fd, '');
      assert.throws(() => readRegularFile(folder, 'maps', 1_000), { code: 'body-too-large' });
      assert.ok(readRegularFile(folder, 'maps', 10_000_000).length > 1_000);
    } finally {
      closeSync(fd);
    }
  });
});
