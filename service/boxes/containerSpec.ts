import { bridgePrefix } from '../../protocol/egress.ts';
import { boxdCommand, boxdEnvironment, copiedHomeAt, loginOf, specHash } from './boxSpec.ts';
import type { BoxSpec } from './engine.ts';
import { boxHostname } from './systemFiles.ts';

/** What the Docker host decides, learnt by `DockerEngine`. */
export interface DockerHost {
  /** First eight characters of the database's id: boxes of two services on one Docker never meet (decision 10). */
  readonly instance: string;
  readonly cpus: number;
  /** Largest number of open files that dockerd can give; a larger one makes the start fail with "rlimit type 7". */
  readonly maxOpenFiles: number;
  /** The paths of this process as Docker's host has them. */
  readonly hostPath: (path: string) => string;
  /** DNS servers for boxes; empty: Docker's choice. */
  readonly dns: readonly string[];
}

export const labels = {
  instance: 'spoon.instance',
  user: 'spoon.user',
  box: 'spoon.box',
  spec: 'spoon.spec',
} as const;

const mebi = 1024 * 1024;

/** What names and labels end in, from the database's id. */
export function instanceOf(instanceId: string): string {
  return instanceId
    .replaceAll(/[^a-z0-9]/gi, '')
    .slice(0, 8)
    .toLowerCase();
}

export function boxName(username: string, instance: string): string {
  return `spoon-box-${username}-${instance}`;
}

export function networkName(username: string, instance: string): string {
  return `spoon-net-${username}-${instance}`;
}

/** Every row of `security.md` section 3 and decisions 3, 4 and 10, as options of Docker's `POST /containers/create`. */
export function containerOptions(spec: BoxSpec, host: DockerHost) {
  const { username, uid, gid } = spec;
  const home = `/home/${loginOf(spec)}`;
  const openFiles = host.maxOpenFiles;
  return {
    name: boxName(username, host.instance),
    Image: spec.image,
    Hostname: boxHostname,
    User: `${uid}:${gid}`,
    WorkingDir: home,
    Env: Object.entries(boxdEnvironment(spec)).map(([name, value]) => `${name}=${value}`),
    // Both, because an image may bring an entry point of its own.
    Entrypoint: [boxdCommand[0]],
    Cmd: boxdCommand.slice(1),
    Healthcheck: { Test: ['NONE'] },
    Labels: {
      [labels.instance]: host.instance,
      [labels.user]: spec.userId,
      [labels.box]: username,
      [labels.spec]: specHash(spec),
      // Whom VS Code works as when it attaches. Said here, because an image made for dev containers says another user, and
      // commands to run, in a label of its own, which this one takes the place of. By number: dockerd looks names up in the
      // image's passwd file, not in the one that is mounted over it.
      'devcontainer.metadata': JSON.stringify([{ remoteUser: `${uid}:${gid}` }]),
    },
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    StopSignal: 'SIGTERM',
    StopTimeout: 10,
    HostConfig: {
      CapDrop: ['ALL'],
      CapAdd: [],
      // Docker adds its seccomp profile, and AppArmor's docker-default where there is AppArmor, unless told not to.
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      Devices: [],
      DeviceRequests: [],
      PidMode: '',
      IpcMode: 'private',
      UTSMode: '',
      CgroupnsMode: 'private' as const,
      PidsLimit: spec.maxProcesses,
      // No swap: a box that is out of memory ends quickly, and alone.
      Memory: spec.memoryBytes,
      MemorySwap: spec.memoryBytes,
      MemoryReservation: Math.floor(spec.memoryBytes / 2),
      OomScoreAdj: 500,
      // Docker refuses more CPUs than there are.
      NanoCpus: Math.round(Math.min(spec.cpus, host.cpus) * 1e9),
      CpuShares: 512,
      ReadonlyRootfs: true,
      Tmpfs: {
        '/tmp': 'rw,nosuid,nodev,exec,size=1g,mode=1777',
        '/var/tmp': 'rw,nosuid,nodev,exec,size=1g,mode=1777',
        '/run': 'rw,nosuid,nodev,noexec,size=16m,mode=0755',
      },
      // `Mounts` and not `Binds`: those make missing directories as root and split on colons.
      Mounts: [
        bind(host.hostPath(spec.homePath), home, false),
        ...(spec.copiedHome === undefined ? [] : [bind(host.hostPath(spec.copiedHome), copiedHomeAt, true)]),
        bind(host.hostPath(spec.socketDir), '/run/spoon', true),
        bind(host.hostPath(spec.boxdDir), '/opt/spoon', true),
        bind(host.hostPath(spec.systemFiles.passwd), '/etc/passwd', true),
        bind(host.hostPath(spec.systemFiles.group), '/etc/group', true),
        bind(host.hostPath(spec.systemFiles.gitconfig), '/etc/gitconfig', true),
      ],
      Init: true,
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: Math.min(4096, openFiles), Hard: openFiles },
      ],
      LogConfig: { Type: 'local', Config: { 'max-size': '5m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
      NetworkMode: networkName(username, host.instance),
      PublishAllPorts: false,
      ...(host.dns.length === 0 ? {} : { Dns: [...host.dns] }),
      ShmSize: 64 * mebi,
    },
  };
}

/** Of each user's own bridge. Without `enable_icc` nothing on it reaches anything else on it; firewalls know it by its name. */
export function networkOptions(spec: Pick<BoxSpec, 'username' | 'userId'>, instance: string, subnet: string) {
  return {
    Name: networkName(spec.username, instance),
    Driver: 'bridge',
    CheckDuplicate: true,
    Internal: false,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
    Options: {
      'com.docker.network.bridge.name': bridgeName(instance, subnet),
      'com.docker.network.bridge.enable_icc': 'false',
    },
    Labels: {
      [labels.instance]: instance,
      [labels.user]: spec.userId,
      [labels.box]: spec.username,
    },
  };
}

/** The instance's prefix, which firewall rules match, and the subnet in hex: 15 characters are all that Linux allows. */
export function bridgeName(instance: string, subnet: string): string {
  const [, , third = '0', fourth = '0'] = (subnet.split('/')[0] ?? '').split('.');
  return `${bridgePrefix(instance)}${((Number(third) << 8) | Number(fourth)).toString(16).padStart(4, '0')}`;
}

function bind(source: string, target: string, readOnly: boolean) {
  return {
    Type: 'bind' as const,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: { Propagation: 'rprivate' as const, NonRecursive: true },
  };
}
