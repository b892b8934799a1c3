import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type BoxRecord, identify, marked, ProcessRecords } from './processRecords.ts';

describe('records of boxes that are processes', () => {
  let folder: string;
  let records: ProcessRecords;
  let child: ChildProcess;
  let record: BoxRecord;
  const marker = `SPOON_HOME=/nowhere/${crypto.randomUUID()}`;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-records-'));
    records = new ProcessRecords(join(folder, 'boxes'));
    const [name = '', value] = marker.split('=');
    child = spawn('sleep', ['1000'], { env: { ...process.env, [name]: value } });
    await once(child, 'spawn');
    const identity = await identify(child.pid ?? 0);
    assert.ok(identity);
    record = { ...identity, username: 'ada', startedMs: 1, specHash: 'h', homePath: '/home/ada' };
  });
  after(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('find a process that runs, and nobody else may read them', async () => {
    await records.write(record);
    assert.deepEqual(await records.running('ada'), record);
    assert.deepEqual(await records.allRunning(), [record]);
    assert.equal((await stat(join(folder, 'boxes'))).mode & 0o777, 0o700);
    await records.remove('ada');
    assert.equal(await records.read('ada'), undefined);
  });

  const others: [string, (known: BoxRecord) => Partial<BoxRecord>][] = [
    ['that started at another time', ({ startTicks }) => ({ startTicks: String(Number(startTicks) - 1) })],
    ['of an earlier run of the machine', () => ({ bootId: crypto.randomUUID() })],
    ['that is gone', () => ({ pid: 2 ** 22 + 1 })],
  ];
  for (const [name, change] of others) {
    it(`do not take the process for one ${name}`, async () => {
      await records.write({ ...record, ...change(record) });
      assert.equal(await records.running('ada'), undefined);
    });
  }

  it('do not count a process that ended and waits to be reaped', async () => {
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000']);
    const [pid] = await once(parent.stdout.setEncoding('utf8'), 'data');
    const deadline = performance.now() + 5_000;
    while ((await identify(Number(pid))) !== undefined) assert.ok(performance.now() < deadline);
    parent.kill('SIGKILL');
  });

  it('find what carries a mark in its environment', async () => {
    assert.deepEqual(await marked(marker), [child.pid]);
    assert.deepEqual(await marked(marker.slice(0, -1)), []);
  });
});
