import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BoxSpec, BoxUsage } from './engine.ts';
import { InTurn } from './inTurn.ts';

type Limits = Pick<BoxSpec, 'memoryBytes' | 'cpus' | 'maxProcesses'>;

const periodUs = 100_000;
const removeTimeoutMs = 2_000;

/**
 * Control groups for the process engine, in either version of the kernel's interface (cgroups(7)). A service that may not
 * make any (no root, or inside a container) has no `Cgroups`, and its boxes no limit of memory and CPU.
 */
export class Cgroups {
  readonly #root: string;
  readonly #version: 1 | 2;
  readonly #group: string;
  readonly #turns = new InTurn();

  private constructor(root: string, version: 1 | 2, group: string) {
    this.#root = root;
    this.#version = version;
    this.#group = group;
  }

  /** @param group a folder of its own for all boxes of this service */
  static async open(group: string, root = '/sys/fs/cgroup'): Promise<Cgroups | undefined> {
    const version = (await exists(join(root, 'cgroup.controllers'))) ? 2 : 1;
    const cgroups = new Cgroups(root, version, group);
    try {
      await cgroups.#prepare();
      await cgroups.#removeEmpty();
      return cgroups;
    } catch {
      // EROFS, EACCES, ENOENT of a missing controller: all mean that limits are not ours to set.
      return undefined;
    }
  }

  /** Makes the group of a box. @returns the files that a process writes `0` to, to enter it */
  make(username: string, limits: Limits): Promise<string[]> {
    return this.#turns.run('', () => this.#make(username, limits));
  }

  async #make(username: string, { memoryBytes, cpus, maxProcesses }: Limits): Promise<string[]> {
    await this.#prepare();
    const directories = this.#directories(username);
    for (const directory of directories) await mkdir(directory, { recursive: true });
    const quotaUs = Math.round(cpus * periodUs);
    const [memory = '', pids = '', cpu = ''] =
      this.#version === 1 ? directories : [...directories, ...directories, ...directories];
    if (this.#version === 1) {
      await writeFile(join(memory, 'memory.limit_in_bytes'), String(memoryBytes));
      // Memory and swap together; absent where the kernel does not account for swap.
      const swap = join(memory, 'memory.memsw.limit_in_bytes');
      if (await exists(swap)) await writeFile(swap, String(memoryBytes));
      await writeFile(join(cpu, 'cpu.cfs_quota_us'), String(quotaUs));
    } else {
      await writeFile(join(memory, 'memory.max'), String(memoryBytes));
      const swap = join(memory, 'memory.swap.max');
      if (await exists(swap)) await writeFile(swap, '0');
      await writeFile(join(cpu, 'cpu.max'), `${quotaUs} ${periodUs}`);
    }
    await writeFile(join(pids, 'pids.max'), String(maxProcesses));
    return directories.map((directory) => join(directory, 'cgroup.procs'));
  }

  /** How often the kernel has ended a program of this box for lack of memory; 0 for a box without a group. */
  async memoryKills(username: string): Promise<number> {
    const [memory = ''] = this.#directories(username);
    const path = join(memory, this.#version === 1 ? 'memory.oom_control' : 'memory.events');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENODEV') return '';
      throw error;
    });
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** Undefined for a box without a group. */
  async usage(username: string): Promise<BoxUsage | undefined> {
    const [memory = '', pids = memory, cpu = memory] = this.#directories(username);
    const isOld = this.#version === 1;
    try {
      const [used, stat, count, time] = await Promise.all([
        readFile(join(memory, isOld ? 'memory.usage_in_bytes' : 'memory.current'), 'utf8'),
        readFile(join(memory, 'memory.stat'), 'utf8'),
        readFile(join(pids, 'pids.current'), 'utf8'),
        readFile(join(cpu, isOld ? 'cpuacct.usage' : 'cpu.stat'), 'utf8'),
      ]);
      const dropped = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(isOld ? withoutOwn(stat) : stat)?.[1] ?? 0);
      const cpuSeconds = isOld ? Number(time) / 1e9 : Number(/^usage_usec (\d+)$/m.exec(time)?.[1] ?? 0) / 1e6;
      return { cpuSeconds, memoryBytes: Math.max(0, Number(used) - dropped), processes: Number(count) };
    } catch (error) {
      // Gone with its box just now, or a controller that this machine does not have.
      if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  /** Removes the group of a box whose processes have ended. */
  async remove(username: string): Promise<void> {
    for (const directory of this.#directories(username)) {
      const deadline = performance.now() + removeTimeoutMs;
      // Busy until the kernel has let go of the last process.
      while (!(await removeDirectory(directory)) && performance.now() < deadline) await delay(10);
    }
    await this.#turns.run('', () => this.#removeEmpty());
  }

  /** Removes the folder of all, when no box is left in it. */
  async #removeEmpty(): Promise<void> {
    for (const directory of this.#directories('')) await removeDirectory(directory);
  }

  async #prepare(): Promise<void> {
    for (const directory of this.#directories('')) await mkdir(directory, { recursive: true });
    if (this.#version === 1) return;
    for (const directory of [this.#root, join(this.#root, this.#group)]) {
      await writeFile(join(directory, 'cgroup.subtree_control'), '+memory +pids +cpu');
    }
  }

  #directories(username: string): string[] {
    const controllers = this.#version === 1 ? ['memory', 'pids', 'cpu'] : [''];
    return controllers.map((controller) => join(this.#root, controller, this.#group, username));
  }
}

/** In the first version a group's own lines come before those of all below it, which are what counts. */
function withoutOwn(stat: string): string {
  return stat.slice(Math.max(0, stat.search(/^total_/m)));
}

async function removeDirectory(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
