import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { specHash } from './boxSpec.ts';
import { containerOptions, networkOptions } from './containerSpec.ts';
import type { BoxSpec } from './engine.ts';

const spec: BoxSpec = {
  userId: 'u-1',
  username: 'ada',
  uid: 100_001,
  gid: 100_001,
  shell: '/bin/zsh',
  homePath: '/work/homes/ada',
  socketDir: '/work/run/ada',
  boxdDir: '/work/boxd/abc',
  systemFiles: { passwd: '/work/etc/ada/passwd', group: '/work/etc/ada/group', gitconfig: '/work/etc/ada/gitconfig' },
  image: 'box@sha256:0',
  memoryBytes: 2 * 1024 ** 3,
  cpus: 2,
  maxProcesses: 512,
};
const host = {
  instance: 'abcd1234',
  cpus: 8,
  maxOpenFiles: 65_536,
  hostPath: (path: string) => path.replace('/work', '/var/host'),
  dns: [],
};

describe('options of a box container', () => {
  const options = containerOptions(spec, host);
  const limits: Record<string, unknown> = options.HostConfig;

  const rows: [string, unknown][] = [
    ['CapDrop', ['ALL']],
    ['CapAdd', []],
    ['SecurityOpt', ['no-new-privileges:true']],
    ['Privileged', false],
    ['Devices', []],
    ['DeviceRequests', []],
    ['PidMode', ''],
    ['IpcMode', 'private'],
    ['UTSMode', ''],
    ['CgroupnsMode', 'private'],
    ['PidsLimit', 512],
    ['Memory', 2 * 1024 ** 3],
    ['MemorySwap', 2 * 1024 ** 3],
    ['MemoryReservation', 1024 ** 3],
    ['OomScoreAdj', 500],
    ['NanoCpus', 2e9],
    ['CpuShares', 512],
    ['BlkioWeight', undefined],
    ['Binds', undefined],
    ['UsernsMode', undefined],
    ['ReadonlyRootfs', true],
    ['Init', true],
    ['RestartPolicy', { Name: 'no' }],
    ['LogConfig', { Type: 'local', Config: { 'max-size': '5m', 'max-file': '2' } }],
    ['NetworkMode', 'spoon-net-ada-abcd1234'],
    ['Dns', undefined],
  ];
  for (const [name, value] of rows) {
    it(`${value === undefined ? 'do not send' : 'have'} ${name}`, () => assert.deepEqual(limits[name], value));
  }

  it('mount exactly what decision 3 names, with the paths of the host', () => {
    const mounts = options.HostConfig.Mounts.map(({ Source, Target, ReadOnly }) => [
      Source,
      Target,
      ReadOnly ? 'ro' : 'rw',
    ]);
    assert.deepEqual(mounts, [
      ['/var/host/homes/ada', '/home/ada', 'rw'],
      ['/var/host/run/ada', '/run/spoon', 'ro'],
      ['/var/host/boxd/abc', '/opt/spoon', 'ro'],
      ['/var/host/etc/ada/passwd', '/etc/passwd', 'ro'],
      ['/var/host/etc/ada/group', '/etc/group', 'ro'],
      ['/var/host/etc/ada/gitconfig', '/etc/gitconfig', 'ro'],
    ]);
    assert.deepEqual(Object.keys(options.HostConfig.Tmpfs), ['/tmp', '/var/tmp', '/run']);
    for (const mount of options.HostConfig.Mounts)
      assert.deepEqual(mount.BindOptions, { Propagation: 'rprivate', NonRecursive: true });
  });

  it('run boxd as the user, by number, and nothing of the image', () => {
    assert.equal(options.User, '100001:100001');
    assert.deepEqual(
      [...options.Entrypoint, ...options.Cmd],
      ['/opt/spoon/bin/node', '--max-old-space-size=64', '/opt/spoon/boxd.js'],
    );
    assert.ok(options.Env.includes('SHELL=/bin/zsh') && options.Env.includes('HOME=/home/ada'));
    assert.deepEqual(options.Healthcheck, { Test: ['NONE'] });
  });

  it('carry the instance in name and labels', () => {
    assert.equal(options.name, 'spoon-box-ada-abcd1234');
    assert.deepEqual(options.Labels, {
      'spoon.instance': 'abcd1234',
      'spoon.user': 'u-1',
      'spoon.box': 'ada',
      'spoon.spec': specHash(spec),
      'devcontainer.metadata': '[{"remoteUser":"100001:100001"}]',
    });
  });

  it('ask for no more than the machine has', () => {
    const small = containerOptions(spec, { ...host, cpus: 1, maxOpenFiles: 1024 });
    assert.equal(small.HostConfig.NanoCpus, 1e9);
    assert.deepEqual(small.HostConfig.Ulimits[1], { Name: 'nofile', Soft: 1024, Hard: 1024 });
  });

  it('name the resolvers that were configured', () => {
    const { HostConfig } = containerOptions(spec, { ...host, dns: ['9.9.9.9'] });
    assert.deepEqual(HostConfig.Dns, ['9.9.9.9']);
  });
});

describe('the network of a box', () => {
  it('is a bridge of its own, closed inside, with a name that a firewall can match', () => {
    const { Driver, EnableIPv6, IPAM, Options } = networkOptions(spec, 'abcd1234', '10.201.255.240/28');
    assert.deepEqual(
      { Driver, EnableIPv6, IPAM },
      {
        Driver: 'bridge',
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [{ Subnet: '10.201.255.240/28' }] },
      },
    );
    assert.equal(Options['com.docker.network.bridge.enable_icc'], 'false');
    assert.equal(Options['com.docker.network.bridge.name'], 'spoonabcd12fff0');
  });
});

describe('specHash', () => {
  it('changes with each part of a spec but its image, and not with their order', () => {
    const changes: Partial<BoxSpec>[] = [
      { boxdDir: '/x' },
      { memoryBytes: 1 },
      { cpus: 1 },
      { maxProcesses: 1 },
      { shell: '/x' },
    ];
    const hashes = new Set([{}, ...changes].map((change) => specHash({ ...spec, ...change })));
    assert.equal(hashes.size, changes.length + 1);
    assert.equal(specHash({ ...spec, image: 'x' }), specHash(spec));
    assert.equal(specHash(Object.fromEntries(Object.entries(spec).reverse()) as unknown as BoxSpec), specHash(spec));
  });
});
