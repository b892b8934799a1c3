import type { BackupManifest } from '../protocol/backup.ts';
import { BackupFile } from './backup/readBackup.ts';
import { refuseUsed, restoreDatabase } from './backup/restoreDatabase.ts';
import type { Config } from './config.ts';
import { readRootKey } from './keyring/rootKey.ts';
import { refuseNewerSchema } from './store/migrate.ts';
import { openWorkdir, workdirAt } from './workdir.ts';

/**
 * Puts what a backup holds into an empty working directory, for a service that does not run. An older schema is brought up to
 * date when it starts.
 * @throws SpoonError `backup-invalid`, `workdir-not-empty`, `workdir-locked`, `schema-newer`, `key-missing`, `key-invalid`,
 *   `key-wrong`: nothing is left there then but empty folders
 */
export async function restoreBackup(file: string, config: Config): Promise<BackupManifest> {
  const root = await readRootKey(config.key);
  await using backup = await BackupFile.open(file);
  refuseNewerSchema(backup.manifest.schema);
  await refuseUsed(config.workdir, config.databaseFile);
  const lock = await openWorkdir(workdirAt(config.workdir));
  try {
    // Once more: before the lock was held, somebody else may have been as quick.
    await refuseUsed(config.workdir, config.databaseFile);
    await restoreDatabase(backup, config.databaseFile, root);
  } finally {
    lock.release();
  }
  return backup.manifest;
}
