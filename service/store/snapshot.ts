import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import type { DatabaseFacts } from './databaseFacts.ts';
import { asStoreError } from './storeErrors.ts';

/** Packed, it is a file of its own beside the service (`scripts/packService.ts`). */
const workerFile = import.meta.url.endsWith('.ts') ? './snapshotWorker.ts' : './snapshotWorker.mjs';

export interface Snapshot extends DatabaseFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The database as it is at one moment, into a new file (mode 0600), while it is in use: `VACUUM INTO` reads within one
 * transaction, and what was deleted is not copied. Writers do not wait for it.
 * @throws SpoonError `insufficient-storage`, `integrity-failure`; Error when `target` exists
 */
export async function snapshotTo(file: string, target: string): Promise<Snapshot> {
  await (await open(target, 'wx', 0o600)).close();
  const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: { file, target } });
  try {
    const [[snapshot]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
    return snapshot as Snapshot;
  } catch (error) {
    throw asStoreError(error);
  }
}
