import { loginOf } from './boxSpec.ts';
import type { BoxSpec } from './engine.ts';
import { type LayoutStep, parentOf } from './processLayout.ts';
import { boxHostname } from './systemFiles.ts';

/**
 * First process of a box, as its user: says that it is there, waits until the service has written down which process it
 * is (an end of the service before that ends the box too), then starts boxd, passes on SIGTERM and SIGCONT, and reaps what boxd's
 * children leave behind: a shell's `wait` takes every child (POSIX wait3), and the first process of a pid namespace
 * inherits all orphans.
 */
export const firstProcess = `
printf 'ready\\n' >&3
read -r go || exit 1
exec 3>&- 4>&- </dev/null >/dev/null 2>&1
"$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM
trap 'kill -CONT "$child" 2>/dev/null' CONT
while :; do
  code=0
  wait "$child" || code=$?
  kill -0 "$child" 2>/dev/null || exit "$code"
done
`;

/** Devices that every program may expect, as in the default set of the OCI runtime specification. */
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

export interface NamespaceOptions {
  /** An empty directory; each box mounts its root there, in a mount namespace of its own. */
  readonly rootDir: string;
  /** `cgroup.procs` of the groups that hold the limits. */
  readonly cgroupFiles: readonly string[];
  readonly command: readonly string[];
}

/**
 * What root runs under `unshare --mount --uts --ipc --pid --fork` (decision 17): builds the layout in memory, makes it the
 * root and lets go of the host's, drops every privilege, and becomes the first process. Says its pid on descriptor 3
 * first, as the host has it: `/proc` is still the host's there.
 */
export function namespaceScript(
  spec: BoxSpec,
  steps: readonly LayoutStep[],
  { rootDir, cgroupFiles, command }: NamespaceOptions,
): string {
  const { uid, gid, maxProcesses } = spec;
  const at = (path: string) => quote(`${rootDir}${path}`);
  const directories = new Set(['/.host']);
  const late: string[] = [];
  const links = new Map<string, string[]>();
  for (const step of steps) {
    directories.add(step.kind === 'directory' ? step.path : parentOf(step.path));
    if (step.kind === 'bind' || step.kind === 'tmpfs') late.push(`mkdir -p ${at(step.path)}`);
    late.push(...commandsOf(step, at, links));
  }
  for (const [folder, targets] of links) late.push(`ln -s ${targets.map(quote).join(' ')} ${at(folder)}`);
  // Counts all processes of the uid, which is the box's own: as good as a cgroup where there is none.
  const processLimit = cgroupFiles.length === 0 ? `prlimit --nproc=${maxProcesses}` : '';
  const privileges = `--reuid ${uid} --regid ${gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all`;
  return [
    'set -eu',
    'umask 022',
    'read -r pid rest </proc/self/stat && printf \'pid %s\\n\' "$pid" >&3',
    ...cgroupFiles.map((file) => `printf 0 >${quote(file)}`),
    '(printf 500 >/proc/self/oom_score_adj) || :',
    // Where the service runs in a container, /proc/sys may be read-only.
    `(printf %s ${boxHostname} >/proc/sys/kernel/hostname) 2>/dev/null || hostname ${boxHostname} || :`,
    `mount -t tmpfs -o mode=755,nosuid,nodev,size=16m spoon ${quote(rootDir)}`,
    `mkdir -p ${[...directories].map(at).join(' ')}`,
    ...late,
    ...closeSubmounts(rootDir, steps),
    `chmod 700 ${at('/root')}`,
    `cd ${quote(rootDir)}`,
    'pivot_root . .host',
    'umount -l /.host',
    'rmdir /.host',
    'mount -o remount,ro,nosuid,nodev /',
    `cd /home/${loginOf(spec)}`,
    'ulimit -c 0',
    'ulimit -Sn 4096 || :',
    `exec ${processLimit} setpriv ${privileges} /bin/sh -c ${quote(firstProcess)} spoon-box ${command.map(quote).join(' ')}`,
  ].join('\n');
}

/**
 * `mount -o rbind,ro` changes the first mount only: a file system of its own below the host's `/opt` or `/usr` would come
 * along writable and with its devices. Their places stand in mountinfo with octal escapes (proc(5)).
 */
function closeSubmounts(rootDir: string, steps: readonly LayoutStep[]): string[] {
  const shared = steps.flatMap((step) =>
    step.kind === 'bind' && step.readOnly ? [`"$root"${quote(step.path)}/*`] : [],
  );
  if (shared.length === 0) return [];
  return [
    // mountinfo has real paths.
    `cd ${quote(rootDir)}`,
    'root=$(pwd -P)',
    'while read -r id parent device source point rest; do',
    `  case "$(printf %b "$point")" in ${shared.join('|')}) mount -o remount,bind,ro,nosuid,nodev "$(printf %b "$point")";; esac`,
    'done </proc/self/mountinfo',
  ];
}

function commandsOf(step: LayoutStep, at: (path: string) => string, links: Map<string, string[]>): string[] {
  const path = at(step.path);
  switch (step.kind) {
    case 'directory':
      return [];
    case 'bind':
      // Recursive: below a container's /etc there are mounts that matter, resolv.conf first.
      return [`mount -o ${step.readOnly ? 'rbind,ro' : 'bind'},nosuid,nodev ${quote(step.source)} ${path}`];
    case 'bindFile':
      return [`mkdir -p ${at(parentOf(step.path))}`, `: >${path}`, `mount -o bind,ro ${quote(step.source)} ${path}`];
    case 'copy':
      return [`cat ${quote(step.source)} >${path}`];
    case 'link': {
      const folder = parentOf(step.path);
      if (step.target.split('/').at(-1) !== step.path.split('/').at(-1)) return [`ln -s ${quote(step.target)} ${path}`];
      // Of the same name: one `ln` makes hundreds.
      links.set(folder, [...(links.get(folder) ?? []), step.target]);
      return [];
    }
    case 'tmpfs':
      return [`mount -t tmpfs -o size=${step.bytes},mode=${step.mode},nosuid,nodev tmpfs ${path}`];
    case 'proc':
      return [`mkdir ${path}`, `mount -t proc -o nosuid,nodev,noexec proc ${path}`];
    case 'system':
      return [`mkdir ${path}`, `mount -t sysfs -o ro,nosuid,nodev,noexec sysfs ${path}`];
    case 'devices':
      return [
        `mkdir -p ${path}/pts`,
        `cd ${path}`,
        `touch ${devices.join(' ')}`,
        ...devices.map((device) => `mount -o bind /dev/${device} ${device}`),
        'mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts pts',
        'ln -s pts/ptmx ptmx',
        'ln -s /proc/self/fd fd',
        'ln -s fd/0 stdin',
        'ln -s fd/1 stdout',
        'ln -s fd/2 stderr',
        'cd /',
      ];
  }
}

/** The same layout for bubblewrap, which an account without root can run. Says the pid as JSON on descriptor 4. */
export function bubblewrapArguments(
  username: string,
  steps: readonly LayoutStep[],
  command: readonly string[],
): string[] {
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-uts', '--unshare-ipc', '--as-pid-1', '--new-session'],
    ...['--hostname', boxHostname, '--info-fd', '4'],
    ...steps.flatMap(argumentsOf),
    ...['--remount-ro', '/', '--chdir', `/home/${username}`],
    ...['/bin/sh', '-c', firstProcess, 'spoon-box', ...command],
  ];
}

function argumentsOf(step: LayoutStep): string[] {
  switch (step.kind) {
    case 'directory':
      return ['--dir', step.path];
    case 'bind':
      return [step.readOnly ? '--ro-bind' : '--bind', step.source, step.path];
    case 'bindFile':
    case 'copy':
      return ['--ro-bind', step.source, step.path];
    case 'link':
      return ['--symlink', step.target, step.path];
    case 'tmpfs':
      return ['--size', String(step.bytes), '--perms', step.mode.padStart(4, '0'), '--tmpfs', step.path];
    case 'proc':
      return ['--proc', step.path];
    case 'system':
      return ['--ro-bind', '/sys', step.path];
    case 'devices':
      return ['--dev', step.path];
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
