import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { databaseFacts, fileDigest } from './databaseFacts.ts';

// A thread of its own: SQLite copies without ever returning to the event loop.

const { file, target } = workerData as { file: string; target: string };
const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
database.prepare('VACUUM INTO ?').run(target);
database.close();
parentPort?.postMessage({ ...databaseFacts(target), ...(await fileDigest(target)) });
