import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

// A thread of its own: SQLite writes and syncs without ever returning to the event loop.

const { file } = workerData as { file: string };
const database = new DatabaseSync(file, { timeout: 0 });

parentPort?.on('message', (wanted: 'checkpoint' | 'close') => {
  if (wanted === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  // PASSIVE: neither waits for readers and writers nor holds them up.
  database.exec('PRAGMA wal_checkpoint(PASSIVE)');
  parentPort?.postMessage('done');
});
