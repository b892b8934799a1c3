import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { openStore } from './database.ts';
import { lookAtStore } from './lookAtStore.ts';
import { migrations } from './migrate.ts';

let parent: string;
before(async () => {
  parent = await mkdtemp(join(tmpdir(), 'spoon-look-'));
});
after(() => rm(parent, { recursive: true }));

/** Every file with its bytes and times, and the folder's own time: what any trace would change. */
async function traceOf(dir: string): Promise<string[]> {
  const names = (await readdir(dir)).sort();
  const lines = await Promise.all(
    names.map(async (name) => {
      const hash = createHash('sha256').update(await readFile(join(dir, name)));
      const { mtimeNs, mode, uid } = await stat(join(dir, name), { bigint: true });
      return `${name} ${hash.digest('hex')} ${mtimeNs} ${mode} ${uid}`;
    }),
  );
  return [...lines, String((await stat(dir, { bigint: true })).mtimeNs)];
}

async function newDir(): Promise<{ dir: string; file: string }> {
  const dir = await mkdtemp(join(parent, 'd'));
  const file = join(dir, 'spoon.db');
  await (await openStore(file)).close();
  return { dir, file };
}

/** A process that commits and is then killed: its log and the log's index stay. */
function commitAndDie(file: string, sql: string): void {
  const script = `
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(${JSON.stringify(file)});
    database.exec(${JSON.stringify(sql)});
    process.kill(process.pid, 'SIGKILL');`;
  assert.equal(spawnSync(process.execPath, ['-e', script]).signal, 'SIGKILL');
}

const newest = Math.max(...migrations.map(({ number }) => number));
const row = "INSERT INTO keyring VALUES ('00112233', x'01', x'02', 1)";

describe('lookAtStore', () => {
  it('leaves no trace at a database that was closed', async () => {
    const { dir, file } = await newDir();
    const before = await traceOf(dir);
    assert.deepEqual(await lookAtStore(file), { schema: newest, keyring: [], holdsSealedRows: false });
    assert.deepEqual(await traceOf(dir), before);
  });

  it('leaves no trace after a crash, and sees what only the log has', async () => {
    const { dir, file } = await newDir();
    commitAndDie(file, row);
    const before = await traceOf(dir);
    assert.equal(before.length, 4, 'database, log, index and folder');
    const { keyring } = await lookAtStore(file);
    assert.deepEqual(
      keyring.map(({ id }) => id),
      ['00112233'],
    );
    assert.deepEqual(await traceOf(dir), before);
  });

  it('leaves no trace beside a process that has it open', async () => {
    const { dir, file } = await newDir();
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const database = new DatabaseSync(${JSON.stringify(file)});
      database.exec(${JSON.stringify(row)});
      process.stdout.write('written');
      process.stdin.on('end', () => database.close()).resume();`;
    const live = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(live.stdout, 'data');
    const before = await traceOf(dir);
    assert.equal((await lookAtStore(file)).keyring.length, 1);
    assert.deepEqual(await traceOf(dir), before);
    live.stdin.end();
    assert.deepEqual(await once(live, 'close'), [0, null]);
  });

  it('leaves no trace at a copy that has the log without its index', async () => {
    const { dir, file } = await newDir();
    commitAndDie(file, row);
    await rm(`${file}-shm`);
    const before = await traceOf(dir);
    assert.equal((await lookAtStore(file)).schema, newest);
    assert.deepEqual(await traceOf(dir), before);
    const store = await openStore(file);
    assert.equal((await store.db.selectFrom('keyring').selectAll().execute()).length, 1, 'the log was not lost');
    await store.close();
  });

  it('bites: an ordinary read-only connection does leave traces', async () => {
    const { dir, file } = await newDir();
    const before = await traceOf(dir);
    const ordinary = new DatabaseSync(file, { readOnly: true });
    ordinary.prepare('SELECT * FROM keyring').all();
    assert.notDeepEqual(await traceOf(dir), before);
    ordinary.close();
  });

  it('refuses a newer schema with no write at all, after a clean stop and after a crash', async () => {
    const newer = "INSERT INTO migrations VALUES (999, 'from the future', 1)";
    const crashed = await newDir();
    commitAndDie(crashed.file, newer);
    const clean = join(parent, 'clean');
    await cp(crashed.dir, clean, { recursive: true });
    new DatabaseSync(join(clean, 'spoon.db')).close();
    const merged = new DatabaseSync(join(clean, 'spoon.db'));
    merged.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    merged.close();
    for (const dir of [crashed.dir, clean]) {
      const before = await traceOf(dir);
      await assert.rejects(openStore(join(dir, 'spoon.db')), { code: 'schema-newer' });
      assert.deepEqual(await traceOf(dir), before);
    }
  });
});
