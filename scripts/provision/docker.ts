import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { cacheFolder } from './cacheFolder.ts';
import { type EngineSlot, takeEngineSlot } from './engineSlot.ts';
import { ensurePrograms } from './systemPackages.ts';

/**
 * A Docker engine of the tests' own, beside any that the machine has. It lives in namespaces of its own: network (no
 * bridge, no firewall rule of the host is touched, and so its boxes reach nothing), mounts (none shows on the host) and
 * processes. When its first process ends, the kernel ends all it ever started; that one ends with this process (prctl
 * PR_SET_PDEATHSIG), be it by Ctrl-C, SIGKILL or a crash. Its data is kept, so that an image is imported once.
 */
export interface TestEngine extends AsyncDisposable {
  /** For `DOCKER_HOST`: `unix:///…`. */
  readonly host: string;
  readonly socketPath: string;
  /** Where its bridges are: a path for nsenter(1). */
  readonly networkNamespace: string;
  /**
   * Ends the daemon alone, by SIGKILL, as a crash does. Another one is started in its place, with the same data and the same
   * containers, which ran on (`--live-restore`). Resolves when that one answers.
   */
  crashDaemon(): Promise<void>;
}

const needs = [
  { file: 'dockerd', debianPackage: 'docker.io' },
  { file: 'docker', debianPackage: 'docker.io' },
  { file: 'iptables', debianPackage: 'iptables' },
  { file: 'ip', debianPackage: 'iproute2' },
  { file: 'unshare', debianPackage: 'util-linux' },
  { file: 'setpriv', debianPackage: 'util-linux' },
];

// A daemon that was killed (137) is started again, as systemd does; one that cannot start or was told to stop is not.
// /run and what dockerd writes to /etc (20.10: /etc/docker/key.json, whatever it is told) are in memory and private. Its
// sockets lie in /run for a second reason: in a long cache path they would pass the 107 bytes that unix(7) allows.
const firstProcess = `
set -e
ip link set lo up
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/etc /run/work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc
trap 'kill -TERM $engine' TERM
status=137
while [ $status = 137 ]; do
  rm -f /run/engine.pid
  "$@" &
  engine=$!
  while kill -0 $engine 2>/dev/null; do status=0; wait $engine || status=$?; done
done
`;

const startTimeoutMs = 30_000;
const stopTimeoutMs = 10_000;

/**
 * @param say tells a person what takes time
 * @throws Error that names what the machine lacks, or carries the end of the engine's log
 */
export async function startTestEngine(say: (text: string) => void): Promise<TestEngine> {
  await ensurePrograms(needs, say);
  if (process.getuid?.() !== 0) {
    throw new Error(
      'Starting a Docker engine needs root. Run the tests as root, or name an engine they may use: SPOON_TEST_DOCKER_HOST=unix:///….',
    );
  }
  const slot = await takeEngineSlot(join(cacheFolder(), 'test-engine'));
  try {
    const cgroup = `/spoon-test-${createHash('sha256').update(slot.folder).digest('hex').slice(0, 12)}`;
    await removeCgroups(cgroup);
    const engine = await stoppable(slot, cgroup, await spawnEngine(slot, cgroup));
    // What an earlier run that was killed has left in the kept data.
    await removeAll(new Docker({ socketPath: engine.socketPath }));
    return engine;
  } catch (error) {
    await slot.release();
    throw error;
  }
}

async function spawnEngine(slot: EngineSlot, cgroup: string): Promise<ChildProcess> {
  const place = (name: string): string => join(slot.folder, name);
  await rm(place('docker.sock'), { force: true });
  // One that was killed while it made a network panics over the half of it at its next start (20.10).
  await rm(place('data/network'), { recursive: true, force: true });
  await writeFile(place('daemon.json'), '{}\n');
  const dockerd = [
    ...['dockerd', '--config-file', place('daemon.json'), '--data-root', place('data'), '--exec-root', '/run/engine'],
    ...['--pidfile', '/run/engine.pid', '--host', `unix://${place('docker.sock')}`, '--bridge', 'none'],
    ...['--live-restore', '--exec-opt', 'native.cgroupdriver=cgroupfs', '--cgroup-parent', cgroup],
  ];
  const namespaces = [
    '--net',
    '--mount',
    '--propagation',
    'slave',
    '--pid',
    '--mount-proc',
    '--fork',
    '--kill-child=KILL',
  ];
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', ...namespaces, 'sh', '-c', firstProcess, 'engine', ...dockerd],
    // A session of its own: a Ctrl-C in the terminal is for the tests, which then stop the engine.
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const log = createWriteStream(place('engine.log'));
  child.stderr.pipe(log);
  const last: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const giveUp = (why: string): void => reject(new Error(`The Docker engine ${why}:\n${last.join('\n')}`));
    const timer = setTimeout(giveUp, startTimeoutMs, `was not up after ${startTimeoutMs / 1000} s`);
    child.once('error', reject);
    child.once('exit', (code, signal) => giveUp(`ended with ${signal ?? code}`));
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (last.push(line) > 10) last.shift();
      if (!line.includes('API listen on')) return;
      clearTimeout(timer);
      resolve();
    });
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return child;
}

async function stoppable(slot: EngineSlot, cgroup: string, child: ChildProcess): Promise<TestEngine> {
  const socketPath = join(slot.folder, 'docker.sock');
  let stopping: Promise<void> | undefined;
  return {
    host: `unix://${socketPath}`,
    socketPath,
    networkNamespace: `/proc/${await firstProcessOf(child.pid)}/ns/net`,
    crashDaemon: () => crashDaemon(child, socketPath),
    [Symbol.asyncDispose]() {
      stopping ??= stopEngine(slot, cgroup, child);
      return stopping;
    },
  };
}

async function stopEngine(slot: EngineSlot, cgroup: string, child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  const socketPath = join(slot.folder, 'docker.sock');
  if (ended !== undefined) {
    // Quick and orderly where it still answers; what remains of a stuck one is removed at the next start.
    await removeAll(new Docker({ socketPath, timeout: stopTimeoutMs })).catch(() => undefined);
    const first = await firstProcessOf(child.pid);
    if (first !== undefined) process.kill(first, 'SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }
  await rm(socketPath, { force: true });
  await removeCgroups(cgroup);
  await slot.release();
}

async function crashDaemon(child: ChildProcess, socketPath: string): Promise<void> {
  const old = await daemonOf(child);
  if (old === undefined) throw new Error('The Docker engine does not run.');
  process.kill(old, 'SIGKILL');
  const docker = new Docker({ socketPath, timeout: startTimeoutMs });
  const endMs = Date.now() + startTimeoutMs;
  for (;;) {
    const daemon = await daemonOf(child);
    const answers = daemon !== undefined && daemon !== old && (await docker.ping().then(Boolean, () => false));
    if (answers) return;
    if (Date.now() > endMs) throw new Error('The Docker engine did not come back.');
    await delay(50);
  }
}

/** The daemon among the children of the first process; the shims of containers whose daemon is gone are there as well. */
async function daemonOf(child: ChildProcess): Promise<number | undefined> {
  const first = await firstProcessOf(child.pid);
  const children = await readFile(`/proc/${first}/task/${first}/children`, 'utf8').catch(() => '');
  for (const pid of children.trim().split(' ')) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (name.trim() === 'dockerd') return Number(pid);
  }
  return undefined;
}

/** The pid, as the host sees it, of the first process in the engine's own process namespace. */
async function firstProcessOf(unshare: number | undefined): Promise<number | undefined> {
  const children = await readFile(`/proc/${unshare}/task/${unshare}/children`, 'utf8').catch(() => '');
  const pid = Number.parseInt(children, 10);
  return Number.isInteger(pid) ? pid : undefined;
}

/** All containers and networks of an engine that is ours alone; images stay. */
async function removeAll(docker: Docker): Promise<void> {
  const containers = await docker.listContainers({ all: true });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  await docker.pruneNetworks();
}

/** Control groups outlive the processes in them; one folder per controller with cgroup v1, one in all with v2. */
async function removeCgroups(cgroup: string): Promise<void> {
  const top = '/sys/fs/cgroup';
  const inTop = await readdir(top, { withFileTypes: true });
  const hierarchies = ['', ...inTop.filter((entry) => entry.isDirectory()).map(({ name }) => name)];
  for (const hierarchy of hierarchies) await removeCgroupTree(join(top, hierarchy, cgroup));
}

/** Only folders can be removed there, from the innermost; the files in them are the kernel's. */
async function removeCgroupTree(folder: string): Promise<void> {
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await removeCgroupTree(join(folder, entry.name));
    }
    await rmdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
