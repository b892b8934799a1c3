import { Audit } from './audit/audit.ts';
import { backupMac } from './backup/backups.ts';
import { withExtracted } from './backup/extracted.ts';
import { type OpenedRows, openEverything } from './backup/openEverything.ts';
import { BackupFile } from './backup/readBackup.ts';
import { refuseWrongKey } from './keyring/keyCheck.ts';
import { openKeyring } from './keyring/keyring.ts';
import type { RootKey } from './keyring/rootKey.ts';
import { openStore } from './store/database.ts';
import { refuseNewerSchema } from './store/migrate.ts';

export interface VerifiedBackup {
  readonly createdMs: number;
  readonly schema: number;
  readonly keys: readonly string[];
  readonly rows: Readonly<Record<string, number>>;
  /** Null: there was no root key to open anything with. */
  readonly contents: (OpenedRows & { readonly audit: { entries: number; fault: string | null } }) | null;
  /** What is wrong with it; nothing: it can be restored and worked with. */
  readonly faults: readonly string[];
}

/**
 * Restores a backup into a temporary folder, upgrades it there as a start would, and opens everything.
 * @throws SpoonError `backup-invalid`, `schema-newer`, `integrity-failure`, `key-wrong`
 */
export async function verifyBackup(file: string, root: RootKey | undefined): Promise<VerifiedBackup> {
  await using backup = await BackupFile.open(file);
  const { createdMs, schema, keys, rows } = backup.manifest;
  refuseNewerSchema(schema);
  return await withExtracted(backup, async (databaseFile) => {
    if (root === undefined) return { createdMs, schema, keys, rows, contents: null, faults: [] };
    const { contents, faults } = await openContents(backup, databaseFile, root);
    return { createdMs, schema, keys, rows, contents, faults };
  });
}

async function openContents(backup: BackupFile, databaseFile: string, root: RootKey) {
  await using opening = new AsyncDisposableStack();
  const store = await openStore(databaseFile, refuseWrongKey(root));
  opening.defer(() => store.close());
  const keyring = await openKeyring(store, root);
  opening.defer(() => keyring.close());
  const mac = await backupMac(keyring, backup.manifestBytes);
  const isGenuine = Buffer.from(mac).equals(await backup.mac());
  const rows = await openEverything(store, keyring);
  const report = await new Audit({ store, keyring, now: Date.now }).verify();
  const fault = report.fault === null ? null : `entry ${report.fault.seq}: ${report.fault.why}`;
  const faults = [
    ...(isGenuine ? [] : ['It was not made by a service that has this key, or was changed since.']),
    ...(rows.failed === 0 ? [] : [`${rows.failed} values do not open.`]),
    ...(fault === null ? [] : [`The audit is not as it was written, ${fault}`]),
  ];
  return { contents: { ...rows, audit: { entries: report.entries, fault } }, faults };
}
