import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { BenchBox } from './benchBox.ts';
import { compare, type Row } from './ratio.ts';

/** Resident memory of boxd when nothing is open, MiB. */
export function idleBoxd(box: BenchBox): Promise<Row> {
  return compare({
    name: 'memory of boxd, idle',
    reference: "a bare node -e 'setInterval(()=>{},1e9)'",
    goal: 1.5,
    better: 'lower',
    unit: 'MiB',
    pairs: 5,
    measureSpoon: async () => {
      const { State } = await box.docker.getContainer(box.containerId).inspect();
      const children = await readFile(`/proc/${State.Pid}/task/${State.Pid}/children`, 'utf8');
      return await residentMib(Number(children.trim().split(' ')[0]));
    },
    measureReference: async () => {
      const node: ChildProcess = spawn(process.execPath, ['-e', "console.log('up');setInterval(()=>{},1e9)"], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (node.stdout === null || node.pid === undefined) throw new Error('node did not start');
      await once(node.stdout, 'data');
      const mib = await residentMib(node.pid);
      node.kill();
      return mib;
    },
  });
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error(`/proc/${pid}/status has no VmRSS`);
  return Number(match[1]) / 1024;
}
