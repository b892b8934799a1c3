import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { LogCheckpoints } from './logCheckpoints.ts';

describe('checkpoints beside the event loop', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-checkpoints-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** A number in the head of the log that is another each time when the log is begun anew (https://sqlite.org/fileformat2.html). */
  async function beginningOf(file: string): Promise<number> {
    return (await readFile(`${file}-wal`)).readUInt32BE(16);
  }

  it('empty the log for the next writer, again and again', async () => {
    const file = join(folder, 'again.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE x (y)');
    const checkpoints = new LogCheckpoints(file, { delayMs: 1 });
    for (let round = 0; round < 3; round++) {
      const before = await beginningOf(file);
      database.exec('INSERT INTO x VALUES (randomblob(40000))');
      assert.equal(await beginningOf(file), before, 'nothing but a checkpoint does it');
      // By the first write after all of it has come into the database.
      while ((await beginningOf(file)) === before) {
        checkpoints.soon();
        await delay(5);
        await checkpoints.settle();
        database.exec('INSERT INTO x VALUES (1)');
      }
    }
    await checkpoints.close();
    checkpoints.soon();
    database.close();
    await assert.rejects(readFile(`${file}-wal`), { code: 'ENOENT' });
  });

  it('go on after a thread that the kernel did not give, and after one that ended', async () => {
    const file = join(folder, 'threads.db');
    const database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE x (y)');
    const starts: (() => Worker)[] = [
      () => {
        throw new Error('EAGAIN');
      },
      () => new Worker('process.exit(1)', { eval: true }),
      () => new Worker('throw new Error("on purpose")', { eval: true }),
    ];
    let started = 0;
    const real = () => new Worker(new URL('./checkpointWorker.ts', import.meta.url), { workerData: { file } });
    const startWorker = () => {
      started += 1;
      return (starts.shift() ?? real)();
    };
    const checkpoints = new LogCheckpoints(file, { delayMs: 1, startWorker });
    database.exec('INSERT INTO x VALUES (1)');
    const before = await beginningOf(file);
    while ((await beginningOf(file)) === before) {
      checkpoints.soon();
      await delay(5);
      await checkpoints.settle();
      database.exec('INSERT INTO x VALUES (1)');
    }
    assert.equal(started, 4);
    await checkpoints.close();
    database.close();
  });
});
