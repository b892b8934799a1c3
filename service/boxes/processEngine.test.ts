import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { engineConformance } from './engine.conformance.ts';
import type { BoxEnd, BoxSpec } from './engine.ts';
import { Bench } from './engineBench.conformance.ts';
import { processEngineUnderTest } from './processEngine.conformance.ts';
import { ProcessEngine } from './processEngine.ts';
import type { ProcessMode } from './processMode.ts';
import { identify, ProcessRecords } from './processRecords.ts';

const isRoot = process.getuid?.() === 0;

const best = isRoot ? 'namespaces' : 'bubblewrap';

engineConformance(processEngineUnderTest(best));
engineConformance(processEngineUnderTest('plain'));

const startAndWait = `
  const { ProcessEngine } = await import(process.env.ENGINE);
  const engine = await ProcessEngine.open(JSON.parse(process.env.OPTIONS));
  console.log(JSON.stringify(await engine.start(JSON.parse(process.env.SPEC))));
  setInterval(() => undefined, 1000);
`;

async function withBench(mode: ProcessMode, work: (bench: Bench, spec: BoxSpec) => Promise<void>): Promise<void> {
  const bench = await Bench.make(processEngineUnderTest(mode));
  try {
    await work(bench, await bench.spec('ada', 100_001));
  } finally {
    await bench.close();
  }
}

describe('Process engine and the service', () => {
  it('keeps its box when the service is killed, and finds it again', () =>
    withBench(best, async (bench, spec) => {
      // A service of its own, which starts the box and is killed before it can do anything more.
      const service = spawn(process.execPath, ['--input-type=module', '-e', startAndWait], {
        env: {
          ...process.env,
          ENGINE: import.meta.resolve('./processEngine.ts'),
          SPEC: JSON.stringify(spec),
          OPTIONS: JSON.stringify({ ...bench.place, hidden: [bench.folder] }),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const failed = once(service, 'exit').then(() => assert.fail('the service ended before its box was there'));
      const [line] = await Promise.race([once(service.stdout.setEncoding('utf8'), 'data'), failed]);
      const started = JSON.parse(String(line));
      service.kill('SIGKILL');
      await assert.rejects(failed);
      await bench.link('ada').whenDialled(10_000);
      assert.deepEqual(await bench.engine.list(), [started]);
      assert.equal(await bench.output('ada', 'echo alive'), 'alive');

      const ended = new Promise<BoxEnd>((resolve) => {
        bench.engine.watch({ onEnd: resolve, onMemoryKill: () => undefined });
      });
      process.kill(Number.parseInt(started.engineId, 10), 'SIGKILL');
      assert.equal((await ended).engineId, started.engineId);
    }));

  it('does not end a process that has the pid of a box that is gone', () =>
    withBench('plain', async (bench, spec) => {
      const { engineId } = await bench.engine.start(spec);
      const { instanceId, stateDir } = bench.place;
      const bystander = spawn('sleep', ['1000']);
      await once(bystander, 'spawn');
      await bench.engine.stop('ada', 1_000);
      // As if the pid had come back: the record names the bystander, with another start.
      const records = new ProcessRecords(join(stateDir, '.boxes'));
      const identity = await identify(bystander.pid ?? 0);
      assert.ok(identity);
      const record = {
        ...identity,
        startTicks: engineId,
        username: 'ada',
        startedMs: 1,
        specHash: 'h',
        homePath: spec.homePath,
      };
      await records.write(record);
      const next = await ProcessEngine.open({ instanceId, stateDir, hidden: [], mode: 'plain' });
      assert.deepEqual(await next.list(), []);
      await next.stop('ada', 100);
      assert.notEqual(await identify(bystander.pid ?? 0), undefined);
      bystander.kill('SIGKILL');
      await next.close();
    }));

  if (isRoot) {
    it('shares what is mounted below the host’s folders read-only too, without its devices', () =>
      withBench('namespaces', async (bench, spec) => {
        // In a mount namespace of its own, so that this machine's /opt stays as it is.
        const mounts =
          'mount -t tmpfs o /opt && mkdir -p "/opt/tools/da ta" && mount -t tmpfs -o mode=1777 d "/opt/tools/da ta"';
        const service = spawn(
          'unshare',
          ['--mount', 'sh', '-c', `${mounts} && exec "$0" --input-type=module -e "$1"`, process.execPath, startAndWait],
          {
            env: {
              ...process.env,
              ENGINE: import.meta.resolve('./processEngine.ts'),
              SPEC: JSON.stringify(spec),
              OPTIONS: JSON.stringify({ ...bench.place, hidden: [bench.folder] }),
            },
            stdio: ['ignore', 'pipe', 'inherit'],
          },
        );
        const ended = once(service, 'exit');
        try {
          const failed = ended.then(() => assert.fail('the service ended before its box was there'));
          failed.catch(() => undefined);
          const [line] = await Promise.race([once(service.stdout.setEncoding('utf8'), 'data'), failed]);
          const [pid] = String(JSON.parse(String(line)).engineId).split('-');
          const shared = (await readFile(`/proc/${pid}/mountinfo`, 'utf8'))
            .split('\n')
            .map((mount) => mount.split(' '))
            .filter(([, , , , point]) => point?.startsWith('/opt/tools'));
          assert.deepEqual(
            shared.map(([, , , , point]) => point),
            ['/opt/tools', '/opt/tools/da\\040ta'],
          );
          for (const [, , , , , options] of shared) assert.match(options ?? '', /^ro,nosuid,nodev\b/);
        } finally {
          service.kill('SIGKILL');
          await ended;
        }
      }));
  }

  it('says that a box cannot be built, and has the words of the tools for the log only', () =>
    withBench(best, async (bench, spec) => {
      const missing = bench.engine.start({ ...spec, homePath: join(bench.folder, 'of-nobody') });
      await assert.rejects(
        missing,
        (error) =>
          error instanceof SpoonError &&
          error.code === 'box-start-failed' &&
          !/of-nobody/.test(error.message) &&
          /of-nobody/.test(String(error.cause)),
      );
      assert.deepEqual(await bench.engine.list(), []);
    }));
});

if (isRoot) {
  describe('Process engine of an account without root', () => {
    it('passes the suite with bubblewrap', async () => {
      // Not nobody, whose processes somebody else may have.
      const uid = 54_321;
      const child = spawn(
        process.execPath,
        [
          '--test',
          '--test-reporter=tap',
          new URL('processEngine.unprivileged.conformance.ts', import.meta.url).pathname,
        ],
        {
          uid,
          gid: uid,
          env: {
            PATH: `${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin`,
            HOME: '/nonexistent',
            TMPDIR: '/tmp',
          },
        },
      );
      let output = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output += chunk;
        });
      }
      const [code] = await once(child, 'exit');
      assert.equal(code, 0, output);
    });
  });
}
