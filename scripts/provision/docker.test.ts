import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';

describe('the engine of the tests', () => {
  let cache: string;
  before(async () => {
    cache = await mkdtemp(join(tmpdir(), 'spoon-engine-'));
  });
  after(() => rm(cache, { recursive: true, force: true }));

  async function start(): Promise<{ child: ChildProcess; docker: Docker; socketPath: string }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'startEngine.fixture.ts')], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const [socketPath] = (await once(lines, 'line', { signal: AbortSignal.timeout(30_000) })) as [string];
    return { child, docker: new Docker({ socketPath }), socketPath };
  }

  /** Pids of everything that names the folder on its command line. */
  async function processesOf(folder: string): Promise<number[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
    return pids.filter((_, index) => lines[index]?.includes(folder));
  }

  it('has its own network, mounts and data, and ends with the process that started it, even by SIGKILL', async () => {
    const interfaces = await readdir('/sys/class/net');
    const { child, docker } = await start();
    const network = await docker.createNetwork({ Name: 'spoon-engine-test', Internal: true });
    assert.ok(network.id);
    assert.deepEqual(await readdir('/sys/class/net'), interfaces);
    assert.doesNotMatch(await readFile('/proc/self/mountinfo', 'utf8'), new RegExp(cache));

    child.kill('SIGKILL');
    await once(child, 'exit');
    // The kernel ends the rest; nothing tells when.
    const signal = AbortSignal.timeout(10_000);
    while ((await processesOf(cache)).length > 0) await delay(20, undefined, { signal });
    assert.doesNotMatch(await readFile('/proc/self/mountinfo', 'utf8'), new RegExp(cache));
  });

  it('starts again on the data of one that was killed, without its leftovers', async () => {
    const { child, docker } = await start();
    assert.deepEqual(
      (await docker.listNetworks()).map(({ Name }) => Name).filter((name) => name.startsWith('spoon')),
      [],
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('leaves the data of one that runs alone', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    assert.notEqual(first.socketPath, second.socketPath);
    assert.equal(String(await second.docker.ping()), 'OK');
    for (const { child } of [first, second]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const signal = AbortSignal.timeout(10_000);
    while ((await processesOf(cache)).length > 0) await delay(20, undefined, { signal });
  });
});
