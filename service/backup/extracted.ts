import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';
import { type DatabaseFacts, databaseFacts } from '../store/databaseFacts.ts';
import type { BackupFile } from './readBackup.ts';

/**
 * Gives `work` the database of a backup in a folder of its own, readable by nobody else, and removes it afterwards. It is whole
 * and has as many rows as its manifest says.
 * @throws SpoonError `backup-invalid`, `integrity-failure`
 */
export async function withExtracted<T>(backup: BackupFile, work: (databaseFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'spoon-backup-'));
  try {
    const file = join(folder, 'spoon.db');
    await backup.extractDatabase(file);
    refuseOtherFacts(databaseFacts(file), backup.manifest);
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refuseOtherFacts(found: DatabaseFacts, said: DatabaseFacts): void {
  const { schema, instanceId, keys, rows } = said;
  if (JSON.stringify({ schema, instanceId, keys, rows }) === JSON.stringify(found)) return;
  throw new SpoonError('backup-invalid', 'Its database is another than its manifest says.');
}
