import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BoxdClient } from './boxdClient.ts';
import { boxIsolation } from './boxIsolation.conformance.ts';
import type { BoxEnd, BoxSpec } from './engine.ts';
import { Bench, type EngineUnderTest, graceMs, until } from './engineBench.conformance.ts';
import { eraseRemovedHomes, setHomeAside } from './removedHomes.ts';

/** The one suite that every engine passes: call it inside a test file. */
export function engineConformance(subject: EngineUnderTest): void {
  const { promises } = subject;

  describe(`${subject.title}: life of a box`, () => {
    let bench: Bench;
    let spec: BoxSpec;
    before(async () => {
      bench = await Bench.make(subject);
      spec = await bench.spec('ada', 100_001);
    });
    after(() => bench.close());
    const started = async () => {
      const box = await bench.engine.start(spec);
      await bench.link('ada').whenDialled(20_000);
      return box;
    };

    it('says in words how far apart boxes are', async () => {
      const facts = await bench.engine.probe();
      assert.ok(facts.isolation.length > 20);
      assert.equal(/no isolation/i.test(facts.isolation), !promises.isolation);
      assert.equal(facts.separatesUsers, promises.ownUid);
    });

    it('starts one box however many ask', async () => {
      const boxes = await Promise.all(Array.from({ length: 50 }, () => bench.engine.start(spec)));
      assert.equal(new Set(boxes.map(({ engineId }) => engineId)).size, 1);
      assert.deepEqual(
        (await bench.engine.list()).map(({ username }) => username),
        ['ada'],
      );
      await bench.link('ada').whenDialled(20_000);
      assert.ok(Math.abs((boxes[0]?.startedMs ?? 0) - Date.now()) < 60_000);
    });

    it('lets boxd be asked through the link, and dial again after a restart of the service', async () => {
      await started();
      const first = await new BoxdClient(bench.link('ada')).stat();
      const again = await bench.relisten('ada');
      await again.whenDialled(5_000);
      assert.equal((await new BoxdClient(again).stat()).startedMs, first.startedMs);
    });

    it('keeps the home and nothing else when it is stopped', async () => {
      const { engineId } = await started();
      await bench.output('ada', 'echo kept > ~/file; echo gone > /tmp/file');
      await bench.engine.stop('ada', graceMs);
      assert.deepEqual(await bench.engine.list(), []);
      await bench.engine.stop('ada', graceMs);
      assert.notEqual((await started()).engineId, engineId);
      assert.equal(await bench.output('ada', 'cat ~/file'), 'kept');
      if (promises.isolation) assert.equal((await bench.sh('ada', 'cat /tmp/file')).code, 1);
    });

    it('empties a home, whatever its user has left in it', async () => {
      await started();
      await bench.output(
        'ada',
        `mkdir -p ~/a/b ~/shut/in ~/.x; echo 1 > ~/a/b/f; ln -s /etc ~/etc; ln -s ~/a ~/a/b/loop; mkfifo ~/pipe
         printf x > ~/"$(printf 'odd\\377name')"; d=~/deep; mkdir $d; cd $d
         for n in $(seq 40); do l=$(printf 'x%.0s' $(seq 200)); mkdir $l; cd -P $l; done
         chmod 000 ~/shut/in; chmod 500 ~/shut; chmod 000 ~`,
      );
      await bench.engine.stop('ada', graceMs);
      const { homePath, uid, gid, boxdDir, image } = spec;
      const homesDir = dirname(homePath);
      await setHomeAside(homesDir, spec);
      const problems: unknown[] = [];
      const parts = { engine: bench.engine, homesDir, boxdDir, image, ownerOf: () => ({ uid, gid }) };
      await eraseRemovedHomes({ ...parts, report: (problem) => problems.push(problem) });
      assert.deepEqual([problems, await readdir(homesDir)], [[], []]);
      spec = await bench.spec('ada', 100_001);
    });

    it('ends every process of the box when it is stopped', async () => {
      await started();
      const marker = `7${Math.floor(Math.random() * 1e8)}`;
      await bench.output('ada', `setsid sleep ${marker} >/dev/null 2>&1 &`);
      await until(5_000, async () => ((await countOnHost(marker)) === 1 ? true : undefined));
      await bench.engine.stop('ada', graceMs);
      assert.equal(await countOnHost(marker), 0);
    });

    it('ends also a box that does not react', async () => {
      await started();
      const { pid } = await new BoxdClient(bench.link('ada')).stat();
      await bench.runLast('ada', `kill -STOP ${pid}`);
      await bench.engine.stop('ada', 100);
      assert.deepEqual(await bench.engine.list(), []);
    });

    it('shows nothing of itself among the mounts of the host', async () => {
      await started();
      assert.ok(!(await readFile('/proc/self/mounts', 'utf8')).includes(bench.folder));
    });

    it('is found and stopped by another engine object', async () => {
      const box = await started();
      const second = await bench.secondEngine();
      assert.deepEqual(await second.list(), [box]);
      assert.deepEqual(await second.start(spec), box);
      await second.stop('ada', graceMs);
      await second.close();
      assert.deepEqual(await bench.engine.list(), []);
    });

    it('tells what it was made from and what it uses', async () => {
      const { specHash } = await started();
      const usage = await bench.engine.usage('ada');
      // A process engine that may not make groups counts nothing.
      if (usage !== undefined || bench.engine.name === 'docker')
        assert.ok(usage && usage.memoryBytes > 0 && usage.processes > 0);
      assert.equal(await bench.engine.usage('nobody-here'), undefined);
      await bench.engine.stop('ada', graceMs);
      const larger = await bench.engine.start({ ...spec, maxProcesses: 129 });
      assert.notEqual(larger.specHash, specHash);
      await bench.engine.stop('ada', graceMs);
    });

    it('lets a scratch box see the home that it is made from only where it is told to, and never write there', async () => {
      await started();
      await bench.output('ada', 'chmod 700 ~; echo mine > ~/file');
      const alone = { ...(await bench.spec('ada.scratch', 100_001)), login: 'ada' };
      const seeing = { ...alone, copiedHome: spec.homePath };
      if (!promises.isolation) {
        await assert.rejects(bench.engine.start(seeing), { code: 'scratch-unavailable' });
        await assert.rejects(bench.engine.start(alone), { code: 'scratch-unavailable' });
        await bench.engine.stop('ada', graceMs);
        return;
      }
      const inScratch = async (of: BoxSpec, script: string) => {
        await bench.engine.start(of);
        await bench.link('ada.scratch').whenDialled(20_000);
        const done = await bench.sh('ada.scratch', script);
        await bench.engine.stop('ada.scratch', graceMs);
        return done;
      };
      const saw = await inScratch(
        seeing,
        'cat /mnt/home/file; echo $HOME; echo other > ~/file; echo x > /mnt/home/file',
      );
      assert.equal(saw.stdout, 'mine\n/home/ada\n');
      assert.notEqual(saw.code, 0);
      const without = await inScratch(alone, 'cat ~/file; ls -A /mnt');
      assert.equal(without.stdout, 'other\n');
      assert.equal(await bench.output('ada', 'cat ~/file'), 'mine');
      await bench.engine.stop('ada', graceMs);
    });

    it('gives up when the caller does', async () => {
      const gone = AbortSignal.abort(new Error('gave up'));
      await assert.rejects(bench.engine.start(spec, gone), /gave up/);
      assert.deepEqual(await bench.engine.list(), []);
    });
  });

  describe(`${subject.title}: end of a box`, () => {
    let bench: Bench;
    let spec: BoxSpec;
    let ends: BoxEnd[];
    let memoryKills: number;
    let unwatch: () => void;
    before(async () => {
      bench = await Bench.make(subject);
      spec = await bench.spec('ada', 100_001);
      ends = [];
      memoryKills = 0;
      unwatch = bench.engine.watch({
        onEnd: (end) => ends.push(end),
        onMemoryKill: () => {
          memoryKills++;
        },
      });
    });
    after(async () => {
      unwatch();
      await bench.close();
    });
    const started = async () => {
      ends.length = 0;
      const box = await bench.engine.start(spec);
      await bench.link('ada').whenDialled(20_000);
      return box;
    };

    it('is told within 5 s when somebody removes it, and the next start makes a new one with the same home', async () => {
      const box = await started();
      await bench.output('ada', 'echo kept > ~/file');
      await subject.removeFromOutside(box);
      const end = await until(5_000, () => ends[0]);
      assert.equal(end.engineId, box.engineId);
      assert.ok(end.reason === 'removed' || end.reason === 'exited', end.reason);
      assert.deepEqual(await bench.engine.list(), []);
      assert.notEqual((await started()).engineId, box.engineId);
      assert.equal(await bench.output('ada', 'cat ~/file'), 'kept');
    });

    it('is told when boxd dies', async () => {
      const box = await started();
      const { pid } = await new BoxdClient(bench.link('ada')).stat();
      await bench.runLast('ada', `kill -9 ${pid}`);
      const end = await until(5_000, () => ends[0]);
      assert.deepEqual(
        { ...end, exitCode: null },
        { username: 'ada', engineId: box.engineId, reason: 'exited', exitCode: null },
      );
    });

    it('is no news when it was asked for', async () => {
      await started();
      await bench.engine.stop('ada', graceMs);
      await started();
      assert.deepEqual(ends, []);
    });

    if (promises.limits) {
      it('is told when a program was ended for lack of memory, while the box runs on', async () => {
        await started();
        const { code } = await bench.run(
          'ada',
          '/opt/spoon/bin/node',
          '-e',
          'const kept = []; for (;;) kept.push(Buffer.alloc(16e6, 1))',
        );
        assert.notEqual(code, 0);
        await until(5_000, () => (memoryKills > 0 ? true : undefined));
        assert.equal(await bench.output('ada', 'echo alive'), 'alive');
      });

      it('is told when boxd itself was ended for lack of memory', async () => {
        const box = await started();
        const eatAll =
          'for f in 1 2 3; do head -c 900m /dev/zero > /dev/shm/eat$f || head -c 900m /dev/zero > /tmp/eat$f; done';
        await bench.sh('ada', eatAll).catch(() => undefined);
        const end = await until(10_000, () => ends[0]);
        assert.equal(end.engineId, box.engineId);
        assert.equal(end.reason, 'out-of-memory');
      });

      it('holds a fork bomb, and is alive after it', async () => {
        await started();
        const bomb =
          'i=0; while [ $i -lt 400 ]; do sleep 3 & i=$((i+1)); done 2>/dev/null; ls /proc | grep -c "^[0-9]"';
        const { stdout } = await bench.sh('ada', bomb);
        assert.ok(Number(stdout.trim().split('\n').at(-1) || 0) <= spec.maxProcesses, stdout);
        const alive = await until(10_000, async () => {
          const { code } = await bench.run('ada', '/bin/true');
          return code === 0 ? true : undefined;
        });
        assert.ok(alive);
      });
    }
  });

  boxIsolation(subject);
}

async function countOnHost(marker: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.startsWith(`sleep\0${marker}\0`)).length;
}
