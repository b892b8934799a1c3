import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Cgroups } from './cgroups.ts';

const limits = { memoryBytes: 1024, cpus: 1.5, maxProcesses: 64 };

/** A folder stands in for the kernel: what is written and where. That it holds, the conformance suite tries for real. */
describe('Cgroups', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'spoon-cgroups-'));
  });
  afterEach(() => rm(root, { recursive: true }));
  const text = (...path: string[]) => readFile(join(root, ...path), 'utf8');

  it('limits memory without swap, CPU and processes in version 2, and hands the controllers down', async () => {
    await writeFile(join(root, 'cgroup.controllers'), 'cpu memory pids');
    const cgroups = await Cgroups.open('spoon-x', root);
    assert.ok(cgroups);
    await mkdir(join(root, 'spoon-x', 'ada'));
    await writeFile(join(root, 'spoon-x', 'ada', 'memory.swap.max'), 'max');
    assert.deepEqual(await cgroups.make('ada', limits), [join(root, 'spoon-x/ada/cgroup.procs')]);
    assert.equal(await text('cgroup.subtree_control'), '+memory +pids +cpu');
    assert.equal(await text('spoon-x', 'cgroup.subtree_control'), '+memory +pids +cpu');
    const written = ['memory.max', 'memory.swap.max', 'cpu.max', 'pids.max'].map((name) =>
      text('spoon-x', 'ada', name),
    );
    assert.deepEqual(await Promise.all(written), ['1024', '0', '150000 100000', '64']);
    await writeFile(join(root, 'spoon-x', 'ada', 'memory.events'), 'low 0\noom 9\noom_kill 3\noom_group_kill 0\n');
    assert.equal(await cgroups.memoryKills('ada'), 3);
    assert.equal(await cgroups.usage('ada'), undefined);
    const counters = {
      'memory.current': '5000',
      'memory.stat': 'anon 1\ninactive_file 2000\n',
      'pids.current': '7\n',
      'cpu.stat': 'usage_usec 2500000\nuser_usec 1\n',
    };
    for (const [name, value] of Object.entries(counters)) await writeFile(join(root, 'spoon-x', 'ada', name), value);
    assert.deepEqual(await cgroups.usage('ada'), { cpuSeconds: 2.5, memoryBytes: 3000, processes: 7 });
  });

  it('uses three hierarchies in version 1', async () => {
    const cgroups = await Cgroups.open('spoon-x', root);
    assert.ok(cgroups);
    const files = await cgroups.make('ada', limits);
    assert.deepEqual(
      files,
      ['memory', 'pids', 'cpu'].map((name) => join(root, name, 'spoon-x/ada/cgroup.procs')),
    );
    assert.equal(await text('memory/spoon-x/ada/memory.limit_in_bytes'), '1024');
    assert.equal(await text('pids/spoon-x/ada/pids.max'), '64');
    assert.equal(await text('cpu/spoon-x/ada/cpu.cfs_quota_us'), '150000');
    assert.equal(await cgroups.memoryKills('ada'), 0);
    const counters = {
      'memory/spoon-x/ada/memory.usage_in_bytes': '5000',
      'memory/spoon-x/ada/memory.stat': 'inactive_file 1\nhierarchical_memory_limit 9\ntotal_inactive_file 2000\n',
      'pids/spoon-x/ada/pids.current': '7',
      'cpu/spoon-x/ada/cpuacct.usage': '2500000000',
    };
    for (const [name, value] of Object.entries(counters)) await writeFile(join(root, name), value);
    assert.deepEqual(await cgroups.usage('ada'), { cpuSeconds: 2.5, memoryBytes: 3000, processes: 7 });
  });

  it('is not there where groups cannot be made', async () => {
    await writeFile(join(root, 'file'), '');
    assert.equal(await Cgroups.open('spoon-x', join(root, 'file')), undefined);
  });
});
