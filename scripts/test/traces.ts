import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import { findProgram } from '../provision/systemPackages.ts';
import { runCommand } from '../runCommand.ts';

/** What a run could leave behind on a machine, as seen at one moment. */
export interface MachineState {
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly firewall: readonly string[];
  /** Control groups with our name and nobody in them. */
  readonly cgroups: readonly string[];
}

/** Processes that carry the mark of a run. */
export interface Straggler {
  readonly pid: number;
  readonly command: string;
}

export async function readMachine(): Promise<MachineState> {
  const [mounts, interfaces, firewall, cgroups] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
    readdir('/sys/class/net').catch(() => Object.keys(networkInterfaces())),
    readFirewall(),
    readEmptyCgroups(),
  ]);
  return { mounts: mounts.trim().split('\n'), interfaces, firewall, cgroups };
}

/** With cgroup v1 one folder per controller is at the top, with v2 there is one for all. */
async function readEmptyCgroups(): Promise<string[]> {
  const top = '/sys/fs/cgroup';
  const inTop = await readdir(top).catch(() => []);
  const inside = await Promise.all(inTop.map((name) => readdir(join(top, name)).catch(() => [])));
  const places = [...inTop, ...inTop.flatMap((name, index) => (inside[index] ?? []).map((group) => join(name, group)))];
  const ours = places.filter((place) => basename(place).startsWith('spoon-')).map((place) => join(top, place));
  const empty = await Promise.all(ours.map(isEmptyCgroup));
  return ours.filter((_, index) => empty[index]);
}

async function isEmptyCgroup(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const lists = entries
    .filter(({ name }) => name === 'cgroup.procs')
    .map((entry) => join(entry.parentPath, entry.name));
  const pids = await Promise.all(lists.map((list) => readFile(list, 'utf8').catch(() => '')));
  return lists.length > 0 && pids.every((text) => text === '');
}

async function readFirewall(): Promise<string[]> {
  const iptables = await findProgram('iptables-save');
  if (iptables === undefined || process.getuid?.() !== 0) return [];
  const { stdout } = await runCommand(iptables, []);
  return stdout.split('\n').filter((line) => line.startsWith('-A') || line.startsWith('-P'));
}

/**
 * What is there now and was not before, and can only be ours: mounts of our folders; interfaces and rules, unless another
 * Docker engine works on the host, which makes its own while we look.
 */
export function newTraces(before: MachineState, after: MachineState, ownFolders: readonly string[]): string[] {
  const fresh = (name: keyof MachineState): string[] => {
    const known = new Set(before[name]);
    return after[name].filter((line) => !known.has(line));
  };
  const foreignEngine = before.interfaces.includes('docker0');
  return [
    ...fresh('mounts')
      .filter((line) => ownFolders.some((folder) => line.includes(folder)))
      .map((line) => `mount ${line.split(' ')[4]}`),
    ...fresh('interfaces')
      .filter((name) => !foreignEngine || name.includes('spoon'))
      .map((name) => `network interface ${name}`),
    ...fresh('firewall')
      .filter((rule) => !foreignEngine || rule.includes('spoon'))
      .map((rule) => `firewall rule ${rule}`),
    ...fresh('cgroups').map((folder) => `control group ${folder}`),
  ];
}

/**
 * Processes of a run that still live: those with its mark in their environment, those that were given the run's folder in
 * another way, and boxes, whose environment is made anew but whose mounts come from that folder.
 */
export async function findStragglers(mark: string, folder: string): Promise<Straggler[]> {
  const found: Straggler[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
    if (command === '') continue; // the kernel's own, or one that has just ended
    const environment = await read('environ');
    const ours =
      environment.includes(mark) ||
      [environment, command, await read('mountinfo')].some((text) => text.includes(folder));
    if (ours) found.push({ pid, command: command.slice(0, 120) });
  }
  return found;
}

export function endProcesses(processes: readonly Straggler[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // Ended meanwhile, perhaps with the one before it.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
