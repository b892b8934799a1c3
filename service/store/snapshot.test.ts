import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { snapshotTo } from './snapshot.ts';

describe('a snapshot of the database', () => {
  it('that fails is an answer, and not the end of the service', async (test) => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-snapshot-'));
    test.after(() => rm(folder, { recursive: true }));
    await assert.rejects(snapshotTo(join(folder, 'absent.db'), join(folder, 'target')), /unable to open/);
  });
});
