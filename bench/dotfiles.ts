import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HomeWatcher, nowMs } from '../test/homeWatcher.ts';
import type { BenchBox } from './benchBox.ts';
import { compare, type Row, spreadOf } from './ratio.ts';

const run = promisify(execFile);
const savesPerRound = 20;
const fileCount = 1_000;

/** One save to the moment a program in the box is told of it, ms: through the whole service, store included. */
export async function saveToVisible(box: BenchBox): Promise<Row> {
  await using watcher = await HomeWatcher.start(box.service, box.user);
  let count = 0;
  return await compare({
    name: 'one save, stored and visible to a watcher in the box',
    reference: 'dockerode exec tee',
    goal: 0.1,
    better: 'lower',
    unit: 'ms',
    pairs: 7,
    measureSpoon: () =>
      medianOf(async () => {
        const name = `.bench-save-${++count}`;
        const seen = watcher.next(name);
        const start = nowMs();
        const answer = await box.service.fetch(box.user, `/v1/dotfiles/content?path=${name}`, {
          method: 'PUT',
          body: `${count}\n`.repeat(500),
          headers: { 'content-type': 'application/octet-stream' },
        });
        assert.equal(answer.status, 200);
        return (await seen) - start;
      }),
    measureReference: () =>
      medianOf(async () => {
        const name = `.bench-tee-${++count}`;
        const seen = watcher.next(name);
        const start = nowMs();
        const exec = await box.docker
          .getContainer(box.containerId)
          .exec({ Cmd: ['tee', name], AttachStdin: true, AttachStdout: true });
        const stream = await exec.start({ hijack: true, stdin: true });
        stream.resume();
        stream.end(`${count}\n`.repeat(500));
        return (await seen) - start;
      }),
  });
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let count = 0; count < savesPerRound; count++) values.push(await measure());
  return spreadOf(values).median;
}

/** The whole overlay of 1,000 files, when the home has it already, ms. */
export async function nothingToDo(box: BenchBox): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), 'spoon-bench-'));
  const source = join(directory, 'source');
  const names = Array.from({ length: fileCount }, (_, index) => `.bench/${index % 60}/file-${index}`);
  for (const name of names) {
    const content = `${name}\n`.repeat(150);
    await mkdir(join(source, name, '..'), { recursive: true });
    await writeFile(join(source, name), content);
    const answer = await box.service.fetch(box.user, `/v1/dotfiles/content?path=${name}`, {
      method: 'PUT',
      body: content,
      headers: { 'content-type': 'application/octet-stream' },
    });
    assert.equal(answer.status, 200, await answer.text());
  }
  const target = join(directory, 'target');
  await cp(source, target, { recursive: true, preserveTimestamps: true });
  await run('rsync', ['-a', `${source}/`, target]);
  try {
    return await compare({
      name: 'nothing to do, 1,000 files',
      reference: 'rsync -a of the same, nothing to do',
      goal: 0.5,
      better: 'lower',
      unit: 'ms',
      pairs: 9,
      measureSpoon: () =>
        timed(async () =>
          assert.equal((await box.service.fetch(box.user, '/v1/box/apply', { method: 'POST' })).status, 200),
        ),
      measureReference: () => timed(() => run('rsync', ['-a', `${source}/`, target])),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
