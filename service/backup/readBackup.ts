import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { getSystemErrorMessage } from 'node:util';
import { Check } from 'typebox/value';
import { BackupManifest, backupHeadBytes, backupMacBytes, manifestLength } from '../../protocol/backup.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { databaseEntry } from './backups.ts';

const chunkBytes = 1024 * 1024;

/** A backup in a file, of which nothing is believed before it has been looked at. `await using` closes it. */
export class BackupFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly manifest: BackupManifest;
  /** As it was written: what the MAC is over. */
  readonly manifestBytes: Uint8Array;
  readonly size: number;

  private constructor(handle: FileHandle, manifestBytes: Uint8Array, manifest: BackupManifest, size: number) {
    this.#handle = handle;
    this.manifestBytes = manifestBytes;
    this.manifest = manifest;
    this.size = size;
  }

  /** @throws SpoonError `backup-invalid` */
  static async open(file: string): Promise<BackupFile> {
    const handle = await open(file, 'r').catch((cause: unknown) => {
      const errno = (cause as NodeJS.ErrnoException).errno;
      if (errno === undefined) throw cause;
      throw new SpoonError('backup-invalid', `${file} cannot be opened: ${getSystemErrorMessage(errno)}.`, { cause });
    });
    try {
      const facts = await handle.stat();
      if (!facts.isFile()) throw new SpoonError('backup-invalid', `${file} is not a file.`);
      const length = manifestLength(await readAt(handle, 0, backupHeadBytes));
      if (length === undefined) throw new SpoonError('backup-invalid', 'It does not begin as a backup does.');
      const written = await readAt(handle, backupHeadBytes, length);
      const manifest = parsed(written);
      const entries = manifest.entries.reduce((sum, { bytes }) => sum + bytes, 0);
      const wanted = backupHeadBytes + length + entries + backupMacBytes;
      if (facts.size !== wanted) {
        throw new SpoonError('backup-invalid', `It has ${facts.size} bytes instead of ${wanted}.`);
      }
      return new BackupFile(handle, written, manifest, facts.size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Writes the database into a new file (mode 0600) and checks its hash.
   * @throws SpoonError `backup-invalid`; the file is then left to the caller to remove
   */
  async extractDatabase(target: string): Promise<void> {
    const [entry] = this.manifest.entries;
    if (entry === undefined) throw new SpoonError('backup-invalid');
    const hash = createHash('sha256');
    const out = await open(target, 'wx', 0o600);
    try {
      const start = backupHeadBytes + this.manifestBytes.length;
      for (let done = 0; done < entry.bytes; ) {
        const chunk = await readAt(this.#handle, start + done, Math.min(chunkBytes, entry.bytes - done));
        hash.update(chunk);
        await out.writeFile(chunk);
        done += chunk.length;
      }
      await out.sync();
    } finally {
      await out.close();
    }
    if (hash.digest('hex') !== entry.sha256) {
      throw new SpoonError('backup-invalid', `The hash of ${entry.name} does not fit: it was changed or damaged.`);
    }
  }

  mac(): Promise<Uint8Array> {
    return readAt(this.#handle, this.size - backupMacBytes, backupMacBytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw new SpoonError('backup-invalid', 'It ends too early.');
    done += bytesRead;
  }
  return buffer;
}

function parsed(bytes: Uint8Array): BackupManifest {
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SpoonError('backup-invalid', 'Its manifest cannot be read.', { cause });
  }
  if (Check(BackupManifest, manifest) && manifest.entries.length === 1 && manifest.entries[0]?.name === databaseEntry) {
    return manifest;
  }
  throw new SpoonError('backup-invalid', 'Its manifest is not one that this Spoon knows.');
}
