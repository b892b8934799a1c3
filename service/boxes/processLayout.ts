import { copiedHomeAt, loginOf } from './boxSpec.ts';
import type { BoxSpec } from './engine.ts';

/** One step of building the root that a box of the process engine sees; paths are as the box has them. */
export type LayoutStep =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'bind'; readonly source: string; readonly path: string; readonly readOnly: boolean }
  | { readonly kind: 'bindFile'; readonly source: string; readonly path: string }
  | { readonly kind: 'copy'; readonly source: string; readonly path: string }
  | { readonly kind: 'link'; readonly target: string; readonly path: string }
  | { readonly kind: 'tmpfs'; readonly path: string; readonly bytes: number; readonly mode: '755' | '1777' }
  | { readonly kind: 'proc' | 'system' | 'devices'; readonly path: string };

export interface HostEntry {
  readonly name: string;
  /** Where a symbolic link points; absent for a directory. */
  readonly target?: string;
}

/** What the layout depends on at the host. */
export interface HostTree {
  /** Those of `/usr`, `/bin`, `/lib`… that exist. */
  readonly system: readonly HostEntry[];
  readonly etc: readonly string[];
  readonly opt: readonly HostEntry[];
  /** Where `/etc/resolv.conf` really is, if not below `/etc`: `/run/systemd/resolve/stub-resolv.conf`. */
  readonly resolvConf?: string;
  /** Directories that no box may see, wherever they are: the service's working directory. */
  readonly hidden: readonly string[];
}

export const systemDirectories = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix'];

/** Files of `/etc` that boxes have of their own. */
const ownFiles = new Set(['passwd', 'group', 'gitconfig']);
const mebi = 1024 * 1024;

/**
 * A root of its own, of what is named here and nothing else: programs and settings of the host read-only, the home,
 * boxd, the socket. Mount points that the host does not have (`/opt/spoon`, `/home/ada`, `/etc/gitconfig`) are made in
 * memory. The host's `/etc` is at `/.etc`, one level deep as it was, so that its relative links still lead where they
 * did, and `/etc` is links into it.
 */
export function boxLayout(spec: BoxSpec, host: HostTree): LayoutStep[] {
  const steps: LayoutStep[] = [];
  const directory = (...paths: string[]) => {
    for (const path of paths) steps.push({ kind: 'directory', path });
  };
  const shareTree = (source: string, path: string) => {
    if (host.hidden.some((hidden) => isWithin(source, hidden))) return;
    steps.push({ kind: 'bind', source, path, readOnly: true });
    for (const hidden of host.hidden) {
      if (isWithin(hidden, source))
        steps.push({ kind: 'tmpfs', path: path + hidden.slice(source.length), bytes: 4096, mode: '755' });
    }
  };
  const shareEntry = (folder: string, { name, target }: HostEntry) => {
    if (target === undefined) shareTree(`${folder}/${name}`, `${folder}/${name}`);
    else steps.push({ kind: 'link', target, path: `${folder}/${name}` });
  };

  for (const entry of host.system) shareEntry('', entry);
  shareTree('/etc', '/.etc');
  directory('/etc');
  for (const name of host.etc) {
    if (!ownFiles.has(name)) steps.push({ kind: 'link', target: `/.etc/${name}`, path: `/etc/${name}` });
  }
  for (const name of ['passwd', 'group', 'gitconfig'] as const) {
    steps.push({ kind: 'copy', source: spec.systemFiles[name], path: `/etc/${name}` });
  }
  directory('/opt');
  for (const entry of host.opt) if (entry.name !== 'spoon') shareEntry('/opt', entry);
  steps.push({ kind: 'bind', source: spec.boxdDir, path: '/opt/spoon', readOnly: true });

  steps.push({ kind: 'proc', path: '/proc' }, { kind: 'system', path: '/sys' }, { kind: 'devices', path: '/dev' });
  steps.push({ kind: 'tmpfs', path: '/dev/shm', bytes: 64 * mebi, mode: '1777' });
  steps.push({ kind: 'tmpfs', path: '/tmp', bytes: 1024 * mebi, mode: '1777' });
  directory('/var', '/var/cache', '/var/lib', '/var/log');
  steps.push({ kind: 'tmpfs', path: '/var/tmp', bytes: 1024 * mebi, mode: '1777' });
  steps.push({ kind: 'tmpfs', path: '/run', bytes: 16 * mebi, mode: '755' });
  steps.push({ kind: 'link', target: '/run', path: '/var/run' });
  if (host.resolvConf !== undefined && isWithin(host.resolvConf, '/run')) {
    steps.push({ kind: 'bindFile', source: host.resolvConf, path: host.resolvConf });
  }
  steps.push({ kind: 'bind', source: spec.socketDir, path: '/run/spoon', readOnly: true });

  directory('/home', '/root', '/mnt', '/srv', '/media');
  steps.push({ kind: 'bind', source: spec.homePath, path: `/home/${loginOf(spec)}`, readOnly: false });
  if (spec.copiedHome !== undefined) {
    steps.push({ kind: 'bind', source: spec.copiedHome, path: copiedHomeAt, readOnly: true });
  }
  return steps;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
