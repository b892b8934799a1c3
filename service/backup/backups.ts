import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BackupManifest, backupMacBytes, packBackupHead } from '../../protocol/backup.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';

export interface BackupsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** Absolute; has room for a copy of the database. */
  readonly folder: string;
  readonly version: string;
  readonly now: () => number;
  /** For the log: that one was made could not be noted. */
  readonly onError: (error: unknown) => void;
}

export interface MadeBackup {
  readonly bytes: number;
  readonly content: Readable;
}

export const databaseEntry = 'spoon.db';
const lastName = 'last-backup';

/** Backups of a service that is in use (docs/formats.md): what is stored, sealed as it is, and no key. */
export class Backups {
  readonly #parts: BackupsParts;
  readonly #temporary: string;
  #isRunning = false;

  constructor(parts: BackupsParts) {
    this.#parts = parts;
    this.#temporary = join(parts.folder, 'backup.tmp');
  }

  /** What a crash in the middle of one left. */
  async removeLeftover(): Promise<void> {
    await rm(this.#temporary, { force: true });
  }

  /** When one was handed out whole, Unix milliseconds; null: none was, of this database. */
  async lastMs(): Promise<number | null> {
    const { db } = this.#parts.store;
    const fact = await db.selectFrom('facts').select('value').where('name', '=', lastName).executeTakeFirst();
    return fact === undefined ? null : Number(fact.value);
  }

  /**
   * Of one moment, however much is written meanwhile. The copy has no name any more when this resolves: whatever becomes of the
   * reader, nothing is left of it.
   * @throws SpoonError `backup-running`, `insufficient-storage`, `integrity-failure`
   */
  async create(): Promise<MadeBackup> {
    if (this.#isRunning) throw new SpoonError('backup-running');
    this.#isRunning = true;
    try {
      await this.removeLeftover();
      const { bytes, sha256, ...facts } = await this.#parts.store.snapshot(this.#temporary);
      const copy = await open(this.#temporary, 'r');
      const manifest: BackupManifest = {
        format: 1,
        createdMs: this.#parts.now(),
        spoon: this.#parts.version,
        ...facts,
        entries: [{ name: databaseEntry, bytes, sha256 }],
      };
      const written = Buffer.from(JSON.stringify(manifest));
      const head = packBackupHead(written);
      const mac = await backupMac(this.#parts.keyring, written);
      const content = Readable.from(this.#bytesOf(head, copy, mac, manifest.createdMs), { objectMode: false });
      content.once('close', () => void copy.close());
      return { bytes: head.length + bytes + backupMacBytes, content };
    } finally {
      await this.removeLeftover();
      this.#isRunning = false;
    }
  }

  async *#bytesOf(head: Uint8Array, copy: FileHandle, mac: Uint8Array, createdMs: number): AsyncGenerator<Uint8Array> {
    yield head;
    yield* copy.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 });
    // On a disk that is full the backup itself is what matters.
    await this.#noteLast(createdMs).catch(this.#parts.onError);
    yield mac;
  }

  async #noteLast(ms: number): Promise<void> {
    const value = String(ms);
    await this.#parts.store.transaction((trx) =>
      trx
        .insertInto('facts')
        .values({ name: lastName, value })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
        .execute(),
    );
  }
}

/** Over the manifest, which has the hashes of all that follows. */
export function backupMac(keyring: Keyring, manifest: Uint8Array): Promise<Uint8Array> {
  return keyring.mac(systemOwnerId, 'backup', manifest);
}
