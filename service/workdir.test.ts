import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { openWorkdir, workdirAt } from './workdir.ts';

const holder = `
  import { openWorkdir, workdirAt } from ${JSON.stringify(import.meta.resolve('./workdir.ts'))};
  await openWorkdir(workdirAt(process.argv[1]));
  process.send('held');
  setInterval(() => {}, 1e6);
`;

async function holdElsewhere(root: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', holder, root], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

describe('the working directory', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'spoon-workdir-'));
  });
  after(() => rm(root, { recursive: true, force: true }));

  it('is made with doors that only the owner may open', async () => {
    const workdir = workdirAt(join(root, 'new'));
    const lock = await openWorkdir(workdir);
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    assert.equal(await modeOf(workdir.root), '711');
    assert.equal(await modeOf(workdir.homes), '711');
    assert.equal(await modeOf(workdir.run), '700');
    assert.equal(await modeOf(join(workdir.root, 'admin')), '700');
    assert.equal(await modeOf(workdir.lock), '600');
    lock.release();
  });

  it('is refused to a second service, with the process that has it, and free again after SIGKILL', async () => {
    const workdir = workdirAt(join(root, 'shared'));
    const child = await holdElsewhere(workdir.root);
    await assert.rejects(openWorkdir(workdir), (error) => {
      assert.ok(error instanceof SpoonError);
      assert.equal(error.code, 'workdir-locked');
      assert.match(error.detail ?? '', new RegExp(`Process ${child.pid} holds it`));
      return true;
    });
    assert.deepEqual((await readdir(workdir.root)).sort(), ['admin', 'boxd', 'etc', 'homes', 'lock', 'run']);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await openWorkdir(workdir);
    assert.equal((await readFile(workdir.lock)).length, 0, 'taking the lock writes nothing');
    lock.release();
  });

  it('is refused when something that is not a folder is in the way', async () => {
    const path = join(root, 'file');
    await writeFile(path, '');
    await assert.rejects(openWorkdir(workdirAt(path)), { code: 'workdir-unwritable' });
  });

  it('is refused when it cannot be written, also to root', async () => {
    await assert.rejects(openWorkdir(workdirAt('/proc/spoon-test')), { code: 'workdir-unwritable' });
  });
});
