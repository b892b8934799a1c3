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
    // boxd is the parent of what it runs; seen from inside, because a test engine has process numbers of its own.
    measureSpoon: async () => mibOf(await box.service.inBox(box.user, 'bash', '-c', 'cat /proc/$PPID/status')),
    measureReference: async () => {
      const node: ChildProcess = spawn(process.execPath, ['-e', "console.log('up');setInterval(()=>{},1e9)"], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (node.stdout === null || node.pid === undefined) throw new Error('node did not start');
      await once(node.stdout, 'data');
      const mib = mibOf(await readFile(`/proc/${node.pid}/status`, 'utf8'));
      node.kill();
      return mib;
    },
  });
}

/** @param status what `/proc/PID/status` says */
function mibOf(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (match === null) throw new Error('the status of the process has no VmRSS');
  return Number(match[1]) / 1024;
}
