import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { findProgram } from '../provision/systemPackages.ts';
import { runCommand } from '../runCommand.ts';

/** What a run could leave behind on a machine, as seen at one moment. */
export interface MachineState {
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly firewall: readonly string[];
}

/** Processes that carry the mark of a run. */
export interface Straggler {
  readonly pid: number;
  readonly command: string;
}

export async function readMachine(): Promise<MachineState> {
  const [mounts, interfaces, firewall] = await Promise.all([
    readFile('/proc/self/mountinfo', 'utf8').catch(() => ''),
    readdir('/sys/class/net').catch(() => Object.keys(networkInterfaces())),
    readFirewall(),
  ]);
  return { mounts: mounts.trim().split('\n'), interfaces, firewall };
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
  const fresh = (name: 'mounts' | 'interfaces' | 'firewall'): string[] => {
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
  ];
}

/**
 * Processes of a run that still live: those with its mark in their environment, and boxes, whose environment is made
 * anew but whose mounts come from the run's folder.
 */
export async function findStragglers(mark: string, folder: string): Promise<Straggler[]> {
  const found: Straggler[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const command = (await read('cmdline')).replaceAll('\0', ' ').trim();
    if (command === '') continue; // the kernel's own, or one that has just ended
    const ours =
      (await read('environ')).includes(mark) || command.includes(folder) || (await read('mountinfo')).includes(folder);
    if (ours) found.push({ pid, command: command.slice(0, 120) });
  }
  return found;
}
