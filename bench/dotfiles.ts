import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DotfilesApi } from '../client/dotfilesApi.ts';
import type { FileToSave } from '../client/saveMany.ts';
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
  await storeFiles(box, source);
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
      measureSpoon: () => timed(() => applyAll(box)),
      measureReference: () => timed(() => run('rsync', ['-a', `${source}/`, target])),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * 1,000 stored files into a home that has none of them, ms: opened, sent and written. Each round gets a new folder, the old
 * one is moved away: on ext4 deleting many files makes the next ones slow.
 */
export async function freshHome(box: BenchBox): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), 'spoon-bench-'));
  const source = join(directory, 'source');
  await storeFiles(box, source);
  await run('tar', ['-cf', join(directory, 'files.tar'), '-C', source, '.']);
  try {
    return await compare({
      name: '1,000 files of 2–4 KB, stored → in a fresh home',
      reference: 'tar x of the same into a new folder',
      goal: 3,
      better: 'lower',
      unit: 'ms',
      pairs: 7,
      measureSpoon: async (round) => {
        const script = `mv ~/.bench ~/.bench-old-${round}; rm -f ~/.spoon/manifest.json`;
        await box.service.inBox(box.user, 'sh', '-c', script);
        return await timed(() => applyAll(box));
      },
      measureReference: async (round) => {
        const target = join(directory, `target-${round}`);
        await mkdir(target);
        return await timed(() => run('tar', ['-xf', join(directory, 'files.tar'), '-C', target]));
      },
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Saves 1,000 files of 2 to 4 KB as a window does that a folder was dropped on, and writes the same into a folder. */
async function storeFiles(box: BenchBox, folder: string): Promise<void> {
  const api = new DotfilesApi(box.api);
  const known = new Map((await api.list()).map((dotfile) => [dotfile.path, dotfile]));
  const files: FileToSave[] = [];
  for (let index = 0; index < fileCount; index++) {
    const path = `.bench/${index % 60}/file-${index}`;
    const content = Buffer.from(`${path}\n`.repeat(120 + (index % 100)));
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), content);
    const there = known.get(path);
    const base = there === undefined ? 'create' : { etag: there.etag };
    files.push({ path, base, size: content.length, bytes: async () => content });
  }
  const outcomes = await api.saveMany(files, { origin: 'import' });
  assert.ok(outcomes.every((outcome) => 'dotfile' in outcome));
}

async function applyAll(box: BenchBox): Promise<void> {
  const answer = await box.service.fetch(box.user, '/v1/box/apply', { method: 'POST' });
  assert.equal(answer.status, 200, await answer.text());
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
