import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SpoonError } from '../../protocol/errors.ts';
import { linkSocketName } from './boxdLink.ts';
import { boxdCommand, boxdEnvironment, loginOf, specHash } from './boxSpec.ts';
import { Cgroups } from './cgroups.ts';
import type { BoxSpec, BoxUsage, BoxWatcher, Engine, EngineBox, EngineFacts, ErasableHome } from './engine.ts';
import { eraseAsProcess } from './eraseHome.ts';
import { InTurn } from './inTurn.ts';
import { type Launch, launch } from './processLaunch.ts';
import { boxLayout } from './processLayout.ts';
import { type FoundMode, findMode, type ProcessMode, processFacts, readHostTree } from './processMode.ts';
import { type BoxRecord, identify, isRunning, marked, ProcessRecords } from './processRecords.ts';
import { bubblewrapArguments, firstProcess, namespaceScript } from './processScripts.ts';
import { ProcessWatch } from './processWatch.ts';

const goneMs = 5_000;
/** sun_path of unix(7), less its final zero. */
const maxSocketPathBytes = 107;

export interface ProcessEngineOptions {
  /** For records of which process is which box, and scripts that root runs; only the service may enter it. */
  readonly stateDir: string;
  readonly instanceId: string;
  /** Directories that no box may see: the working directory. */
  readonly hidden: readonly string[];
  /** Only to test one that would not be chosen. */
  readonly mode?: ProcessMode;
}

/** Boxes as processes with namespaces of their own, where there is no Docker (decision 17, design section 9). */
export class ProcessEngine implements Engine {
  readonly name = 'process';
  readonly #options: ProcessEngineOptions;
  readonly #found: FoundMode;
  readonly #cgroups: Cgroups | undefined;
  readonly #records: ProcessRecords;
  readonly #turns = new InTurn();
  readonly #watch: ProcessWatch;

  private constructor(options: ProcessEngineOptions, found: FoundMode, cgroups: Cgroups | undefined) {
    this.#options = options;
    this.#found = found;
    this.#cgroups = cgroups;
    this.#records = new ProcessRecords(join(options.stateDir, '.boxes'));
    this.#watch = new ProcessWatch(cgroups, (username) => this.#turns.run(username, () => this.#clear(username)));
  }

  static async open(options: ProcessEngineOptions): Promise<ProcessEngine> {
    const best = await findMode(rootDirOf(options));
    const found = options.mode === undefined ? best : { ...best, mode: options.mode };
    const group = `spoon-${options.instanceId.slice(0, 8)}`;
    const cgroups = found.mode === 'namespaces' ? await Cgroups.open(group) : undefined;
    return new ProcessEngine(options, found, cgroups);
  }

  async probe(): Promise<EngineFacts> {
    return processFacts(this.#found, this.#cgroups !== undefined);
  }

  start(spec: BoxSpec, signal?: AbortSignal): Promise<EngineBox> {
    return this.#turns.run(spec.username, async () => {
      signal?.throwIfAborted();
      const running = await this.#records.running(spec.username);
      if (running !== undefined) return this.#known(running);
      await this.#clear(spec.username);
      const plan = await this.#plan(spec);
      let record: BoxRecord | undefined;
      const onReady = async (pid: number) => {
        record = await recordOf(spec, pid);
        await this.#records.write(record);
      };
      try {
        const child = await launch(plan, onReady, signal);
        if (record === undefined) throw new Error('launched without being ready');
        return this.#known(record, child);
      } catch (error) {
        await this.#clear(spec.username);
        throw error;
      }
    });
  }

  stop(username: string, graceMs: number): Promise<void> {
    return this.#turns.run(username, async () => {
      this.#watch.forget(username);
      const record = await this.#records.running(username);
      if (record !== undefined) await this.#end(record, graceMs);
      await this.#clear(username);
    });
  }

  async wake(username: string): Promise<void> {
    const record = await this.#records.running(username);
    if (record !== undefined) signalProcess(record.pid, 'SIGCONT');
  }

  async list(): Promise<EngineBox[]> {
    return (await this.#records.allRunning()).map((record) => this.#known(record));
  }

  /** Boxes here have the host's own programs. */
  async imageId(): Promise<undefined> {}

  async imageFault(): Promise<undefined> {}

  eraseHome(home: ErasableHome): Promise<void> {
    return eraseAsProcess(home);
  }

  async usage(username: string): Promise<BoxUsage | undefined> {
    return this.#cgroups?.usage(username);
  }

  watch(watcher: BoxWatcher): () => void {
    return this.#watch.add(watcher);
  }

  async close(): Promise<void> {
    this.#watch.close();
  }

  async #plan(spec: BoxSpec): Promise<Launch> {
    const env = boxdEnvironment(spec);
    if (this.#found.mode === 'plain') return plainPlan(spec);
    const steps = boxLayout(spec, await readHostTree(this.#options.hidden));
    if (this.#found.mode === 'bubblewrap') {
      return { argv: ['bwrap', ...bubblewrapArguments(loginOf(spec), steps, boxdCommand)], env, pidFrom: 'bubblewrap' };
    }
    const script = namespaceScript(spec, steps, {
      rootDir: rootDirOf(this.#options),
      cgroupFiles: (await this.#cgroups?.make(spec.username, spec)) ?? [],
      command: boxdCommand,
    });
    // From a file: as an argument, it would fill every list of processes.
    const path = await this.#records.writeScript(spec.username, script);
    const unshare = ['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork', '--'];
    return { argv: [...unshare, '/bin/sh', path], env, pidFrom: 'script' };
  }

  /** SIGTERM to the first process, then SIGKILL: the kernel ends the whole pid namespace with it (pid_namespaces(7)). */
  async #end(record: BoxRecord, graceMs: number): Promise<void> {
    signalProcess(record.pid, 'SIGTERM');
    if (!(await gone(record, graceMs))) {
      signalProcess(record.pid, 'SIGKILL');
      if (!(await gone(record, goneMs))) throw new SpoonError('box-unavailable', 'Its processes do not end.');
    }
  }

  /** Removes what an ended box left; a box that runs again meanwhile is not touched. */
  async #clear(username: string): Promise<void> {
    const record = await this.#records.read(username);
    if (record !== undefined && (await isRunning(record))) return;
    // Without a pid namespace nothing ends with the first process; boxd gives this to all that it starts (decision 12).
    if (record !== undefined && this.#found.mode === 'plain') await endMarked(`SPOON_HOME=${record.homePath}`);
    await this.#records.remove(username);
    await this.#cgroups?.remove(username);
  }

  #known(record: BoxRecord, child?: ChildProcess): EngineBox {
    this.#watch.know(record, child);
    const { username, pid, startTicks, startedMs, specHash } = record;
    return { username, engineId: `${pid}-${startTicks}`, startedMs, specHash };
  }
}

function rootDirOf({ stateDir }: ProcessEngineOptions): string {
  return join(stateDir, '.root');
}

/** The same program with the real paths: nothing is hidden from it. */
function plainPlan(spec: BoxSpec): Launch {
  if (spec.login !== undefined) {
    throw new SpoonError('scratch-unavailable', 'Boxes of this service see the whole machine, and so your real home.');
  }
  const socket = join(spec.socketDir, linkSocketName);
  if (Buffer.byteLength(socket) > maxSocketPathBytes) {
    throw new SpoonError(
      'box-start-failed',
      `The path ${socket} is too long for a socket. Set SPOON_AGENT_WORKDIR to a shorter one.`,
    );
  }
  const command = boxdCommand.map((part) => part.replace('/opt/spoon', spec.boxdDir));
  return {
    argv: ['/bin/sh', '-c', firstProcess, 'spoon-box', ...command],
    env: boxdEnvironment(spec, { home: spec.homePath, socket }),
    cwd: spec.homePath,
    pidFrom: 'child',
  };
}

async function recordOf(spec: BoxSpec, pid: number): Promise<BoxRecord> {
  const identity = await identify(pid);
  if (identity === undefined) throw new SpoonError('box-start-failed', 'Its first process ended at once.');
  return {
    ...identity,
    username: spec.username,
    startedMs: Date.now(),
    specHash: specHash(spec),
    homePath: spec.homePath,
  };
}

async function gone(record: BoxRecord, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  // Not a child of this process after a restart, so there is nothing to wait on but /proc.
  for (;;) {
    if (!(await isRunning(record))) return true;
    if (performance.now() >= deadline) return false;
    await delay(10);
  }
}

async function endMarked(environment: string): Promise<void> {
  const deadline = performance.now() + goneMs;
  for (let pids = await marked(environment); pids.length > 0; pids = await marked(environment)) {
    if (performance.now() >= deadline) throw new SpoonError('box-unavailable', 'Its processes do not end.');
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await delay(10);
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
