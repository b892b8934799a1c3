import { readdirSync, readFileSync } from 'node:fs';

/** One line of `/proc/PID/stat` (proc_pid_stat(5)), the parts that matter here. */
interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  /** 0 for one whose parent is in another pid namespace. */
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  /** Foreground process group of its terminal; -1 without one. */
  readonly foregroundGroup: number;
}

/** The name stands in parentheses and may hold anything, also parentheses and spaces: read from the last one on. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(text, 10);
  const [state, parent, processGroup, session, , foregroundGroup] = fields;
  if (!Number.isSafeInteger(pid) || state === undefined || foregroundGroup === undefined) return undefined;
  return {
    pid,
    state,
    parent: Number(parent),
    processGroup: Number(processGroup),
    session: Number(session),
    foregroundGroup: Number(foregroundGroup),
  };
}

/** `undefined` for a process that is gone. */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Does something other than the shell itself own the terminal: a command that runs in the foreground. */
export function hasForegroundChild(shellPid: number): boolean {
  const stat = readStat(shellPid);
  return stat !== undefined && stat.foregroundGroup > 0 && stat.foregroundGroup !== stat.processGroup;
}

/**
 * What a terminal or command started and is still there: its session, and whatever left the session but still carries
 * the marker in its environment (decision 12). Zombies do not count.
 * @param marker `NAME=value`
 */
export function findDescendants(session: number, marker: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = readStat(pid);
    if (stat === undefined || stat.state === 'Z' || stat.state === 'X') continue;
    if (stat.session === session || carries(pid, marker)) found.push(pid);
  }
  return found;
}

/**
 * How many programs were put into this box from outside (`docker exec`, and so VS Code's *Attach to Container*): to a pid
 * namespace, the parent of such a process is nobody (pid_namespaces(7)). What they leave running without them is adopted by
 * the first process, and no longer counts. Always 0 where the first process is not the box's.
 * @param marker of the first process, `NAME=value`
 */
export function countFromOutside(marker: string): number {
  if (!carries(1, marker)) return 0;
  let count = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === 1) continue;
    const stat = readStat(pid);
    if (stat?.parent === 0 && stat.state !== 'Z' && stat.state !== 'X') count++;
  }
  return count;
}

function carries(pid: number, marker: string): boolean {
  const environment = readProc(`/proc/${pid}/environ`);
  return environment !== undefined && `\0${environment}`.includes(`\0${marker}\0`);
}

/** A process may end, or belong to somebody else, between the listing and the look at it. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
