import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { EngineFacts } from './engine.ts';
import { type HostEntry, type HostTree, systemDirectories } from './processLayout.ts';

/** How the process engine keeps boxes apart: as root with namespaces, as anybody with bubblewrap, or not at all. */
export type ProcessMode = 'namespaces' | 'bubblewrap' | 'plain';

const trialMs = 5_000;
const toolPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const namespaceTrial = `
command -v pivot_root >/dev/null
command -v prlimit >/dev/null
for type in tmpfs proc sysfs devpts; do mount -t "$type" none "$0"; done
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all unshare --version
`;

export interface FoundMode {
  readonly mode: ProcessMode;
  readonly version: string;
  /** Why not a better one, in the words of the tool that failed. */
  readonly because?: string;
}

/** Tries for real what a box will need: that a tool is there says nothing inside a container or a locked-down kernel. */
export async function findMode(rootDir: string): Promise<FoundMode> {
  await mkdir(rootDir, { recursive: true, mode: 0o755 });
  const isRoot = process.getuid?.() === 0;
  const trial = isRoot
    ? tryRun('unshare', [
        ...['--mount', '--uts', '--ipc', '--pid', '--fork', '--', '/bin/sh', '-euc'],
        namespaceTrial,
        rootDir,
      ])
    : tryRun('bwrap', [
        '--unshare-user',
        '--unshare-pid',
        '--ro-bind',
        '/',
        '/',
        '--proc',
        '/proc',
        '--dev',
        '/dev',
        'bwrap',
        '--version',
      ]);
  const { output, failure } = await trial;
  if (failure === undefined) return { mode: isRoot ? 'namespaces' : 'bubblewrap', version: output.trim() };
  return { mode: 'plain', version: process.version, because: failure };
}

export function processFacts({ mode, version, because }: FoundMode, limits: boolean): EngineFacts {
  const problems = mode === 'plain' ? [] : ["Boxes share this machine's network."];
  if (!limits) problems.push('Boxes have no limit of memory and CPU here: one can slow down the machine.');
  if (because !== undefined) problems.push(`Boxes are not kept apart, because a trial failed: ${because}`);
  const isolation = {
    namespaces: 'Each box has its own user, processes and view of the files; network and kernel are shared.',
    bubblewrap:
      'The box has its own processes and view of the files (bubblewrap), runs as this account and for one user; network and kernel are shared.',
    plain:
      'No isolation: the box is a set of plain processes of this account, for one user, and can read what this account can.',
  }[mode];
  return { version, isolation, separatesUsers: mode === 'namespaces', problems };
}

/** @param hidden directories that no box may see; links in them are resolved */
export async function readHostTree(hidden: readonly string[]): Promise<HostTree> {
  const system = await Promise.all(systemDirectories.map((name) => entryOf('/', name)));
  const optNames = await readdir('/opt').catch(() => []);
  const opt = await Promise.all(optNames.map((name) => entryOf('/opt/', name)));
  const resolvConf = await realpath('/etc/resolv.conf').catch(() => undefined);
  return {
    system: system.filter((entry) => entry !== undefined),
    etc: (await readdir('/etc')).sort(),
    opt: opt.filter((entry) => entry !== undefined),
    ...(resolvConf === undefined ? {} : { resolvConf }),
    hidden: await Promise.all(hidden.map((path) => realpath(path).catch(() => path))),
  };
}

/** Undefined for what is neither a directory nor a link. */
async function entryOf(folder: string, name: string): Promise<HostEntry | undefined> {
  const stats = await lstat(folder + name).catch(() => undefined);
  if (stats?.isSymbolicLink()) return { name, target: await readlink(folder + name) };
  return stats?.isDirectory() ? { name } : undefined;
}

async function tryRun(file: string, args: string[]): Promise<{ output: string; failure?: string }> {
  try {
    const { stdout } = await promisify(execFile)(file, args, { timeout: trialMs, env: { PATH: toolPath } });
    return { output: stdout };
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    return { output: '', failure: stderr || String(error) };
  }
}
