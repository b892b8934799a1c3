import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ensureLocalKey } from './localKey.ts';

describe('the local key', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-key-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, for its owner only', async () => {
    const file = join(folder, 'config', 'local.key');
    const database = join(folder, 'spoon.db');
    assert.equal(await ensureLocalKey(file, database), 'made');
    const key = await readFile(file, 'utf8');
    assert.equal(Buffer.from(key, 'base64').length, 32);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'config'))).mode & 0o777, 0o700);
    await writeFile(database, 'a database by now');
    assert.equal(await ensureLocalKey(file, database), 'found');
    assert.equal(await readFile(file, 'utf8'), key);
  });

  it('is the same for two that start at once', async () => {
    const file = join(folder, 'local.key');
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => ensureLocalKey(file, join(folder, 'spoon.db'))));
    assert.equal(outcomes.filter((outcome) => outcome === 'made').length, 1);
  });

  it('is not made for a database that another key belongs to', async () => {
    const database = join(folder, 'spoon.db');
    await writeFile(database, '');
    const file = join(folder, 'local.key');
    await assert.rejects(ensureLocalKey(file, database), { code: 'key-missing' });
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });
});
