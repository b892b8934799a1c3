import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SpoonError } from '../../protocol/errors.ts';
import { refuseWrongKey } from '../keyring/keyCheck.ts';
import type { RootKey } from '../keyring/rootKey.ts';
import { lookAtStore } from '../store/lookAtStore.ts';
import { refuseNewerSchema } from '../store/migrate.ts';
import type { BackupFile } from './readBackup.ts';

/**
 * What a service has that never ran: its folders, all of them empty, and its lock. Nothing below a home is looked at.
 * @throws SpoonError `workdir-not-empty`, which names what is in the way
 */
export async function refuseUsed(workdir: string, databaseFile: string): Promise<void> {
  for (const file of [databaseFile, `${databaseFile}-wal`]) if (await isThere(file)) throw inTheWay(file);
  for (const entry of await entriesOf(workdir)) {
    const path = join(workdir, entry.name);
    if (entry.isDirectory()) {
      const inside = (await entriesOf(path)).find(({ name }) => name !== 'lost+found');
      if (inside !== undefined && entry.name !== 'lost+found') throw inTheWay(join(path, inside.name));
    } else if (entry.name !== 'lock' || (await stat(path)).size > 0) {
      throw inTheWay(path);
    }
  }
}

/**
 * The database of a backup at its place, wholly or not at all. The lock of the working directory must be held.
 * @throws SpoonError `backup-invalid`, `schema-newer`, `key-wrong`
 */
export async function restoreDatabase(backup: BackupFile, databaseFile: string, root: RootKey): Promise<void> {
  const temporary = `${databaseFile}.restoring`;
  await rm(temporary, { force: true });
  try {
    await backup.extractDatabase(temporary);
    const look = await lookAtStore(temporary);
    refuseNewerSchema(look.schema);
    await refuseWrongKey(root)(look);
    await rename(temporary, databaseFile);
  } finally {
    await rm(temporary, { force: true });
  }
  const folder = await open(dirname(databaseFile), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  const folder = await entriesOf(dirname(file));
  return folder.some(({ name }) => name === basename(file));
}

function inTheWay(path: string): SpoonError {
  return new SpoonError('workdir-not-empty', `There is ${path}. Name an empty folder in SPOON_AGENT_WORKDIR.`);
}
