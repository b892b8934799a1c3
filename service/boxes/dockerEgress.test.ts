import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import Docker from 'dockerode';
import { egressScript, removeEgressScript } from '../../protocol/egress.ts';
import { DockerEngine } from './dockerEngine.ts';
import { Bench, type Place } from './engineBench.conformance.ts';
import {
  canaryPort,
  HostNetwork,
  hostAddresses,
  internetAddress,
  lanAddresses,
  listedPort,
} from './hostNetwork.fixture.ts';
import { runScript } from './runScript.ts';
import { gatewayOf } from './subnets.ts';

// `npm test` starts a Docker of its own and sets these; the namespace is unset for an engine in this one.
const host = process.env.SPOON_TEST_DOCKER_HOST;
const image = process.env.SPOON_TEST_IMAGE ?? 'spoon-box:dev';
assert.ok(host, 'SPOON_TEST_DOCKER_HOST is not set; npm test sets it to a Docker of its own');
assert.equal(process.getuid?.(), 0, 'firewall rules need root');
const networkNamespace = process.env.SPOON_TEST_DOCKER_NETWORK;
const docker = new Docker({ socketPath: host.slice('unix://'.length) });
const [lanHost = ''] = lanAddresses;

const egress = { gitHosts: [`${lanHost}:${listedPort}`, 'no-such-name.invalid'], dns: [lanHost], networkNamespace };
const subject = {
  title: 'Docker engine',
  make: async ({ instanceId }: Place, options = egress) =>
    new DockerEngine({ host, instanceId, egress: options, separatesUsers: true }),
  image,
  boxUid: (uid: number) => uid,
  removeFromOutside: async () => undefined,
  promises: { isolation: true, ownUid: true, limits: true },
};
const instanceOf = (bench: Bench) => bench.place.instanceId.replaceAll('-', '').slice(0, 8);

describe('what a box reaches', () => {
  let bench: Bench;
  let network: HostNetwork;
  let gateway: string;
  before(async () => {
    network = await HostNetwork.around(networkNamespace);
    bench = await Bench.make({ ...subject, make: (place) => subject.make(place) });
    for (const [username, uid] of [['ada', 100_001] as const, ['grace', 100_002] as const]) {
      await bench.engine.start(await bench.spec(username, uid));
      await bench.link(username).whenDialled(20_000);
    }
    const found = await docker.getNetwork(`spoon-net-ada-${instanceOf(bench)}`).inspect();
    gateway = gatewayOf(String(found.IPAM?.Config?.[0]?.Subnet));
    network.takeHits();
  });
  afterEach(() => network.takeHits());
  after(async () => {
    await bench.close();
    await runScript(removeEgressScript(instanceOf(bench)), networkNamespace);
    await network[Symbol.asyncDispose]();
  });

  /** Tries all at once, and waits until each is decided. */
  async function tryFromBox(places: readonly string[]): Promise<Record<string, string>> {
    const script = `
      const tried = ${JSON.stringify(places)}.map((place) => new Promise((resolve) => {
        const [host, port] = place.split(':');
        const socket = net.connect({ host, port, timeout: 3000 });
        const done = (how) => { resolve([place, how]); socket.destroy(); };
        socket.on('connect', () => done('connected')).on('timeout', () => done('timeout'));
        socket.on('error', ({ code }) => done(code));
      }));
      Promise.all(tried).then((all) => console.log(JSON.stringify(Object.fromEntries(all))));`;
    return JSON.parse(await bench.output('ada', `/opt/spoon/bin/node -e '${script.replaceAll("'", `'\\''`)}'`));
  }
  const forbidden = () => [gateway, ...hostAddresses, ...lanAddresses].map((address) => `${address}:${canaryPort}`);

  it('the internet, and none of the addresses of the host and its network', async () => {
    const internet = `${internetAddress}:${canaryPort}`;
    const { [internet]: answer, ...rest } = await tryFromBox([...forbidden(), internet]);
    assert.equal(answer, 'connected');
    // The kernel sends few of these a second; the others wait in vain.
    for (const [place, how] of Object.entries(rest)) assert.match(how, /^(EHOSTUNREACH|timeout)$/, place);
    assert.deepEqual(await network.untilHits(1), [`hit ${internetAddress} ${canaryPort}`]);
  });

  it('what the operator has listed, at its port only', async () => {
    const answers = await tryFromBox([`${lanHost}:${listedPort}`, `${lanHost}:${canaryPort}`]);
    assert.deepEqual(Object.values(answers), ['connected', 'EHOSTUNREACH']);
  });

  it('names on the internet by the resolver that was set, and no name of another box', async () => {
    const name = `spoon-box-grace-${instanceOf(bench)}`;
    const ask = (what: string) => bench.output('ada', `getent ahostsv4 ${what} | head -1 | cut -d " " -f 1`);
    assert.equal(await ask('internet.example'), internetAddress);
    // Whatever the resolver makes of it, it is not where that box is.
    const { NetworkSettings } = await docker.getContainer(name).inspect();
    const [grace] = Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress);
    assert.notEqual(await ask(name), grace);
    assert.ok(network.hits.some((hit) => hit.startsWith('query spoon box grace')));
  });

  it('no metadata by a name that means it, nor by a redirection (rows 82 and 83)', async () => {
    const fetched = (url: string) =>
      bench.output(
        'ada',
        `/opt/spoon/bin/node -e 'fetch("${url}").then((r) => r.text(), (e) => e.cause.code).then(console.log)'`,
      );
    assert.equal(await fetched(`http://internet.example:${canaryPort}/`), 'reached');
    network.takeHits();
    assert.equal(await fetched(`http://rebind.example:${canaryPort}/`), 'EHOSTUNREACH');
    const metadata = encodeURIComponent(`http://169.254.169.254:${canaryPort}/`);
    assert.equal(await fetched(`http://internet.example:${canaryPort}/?to=${metadata}`), 'EHOSTUNREACH');
    const hits = (await network.untilHits(1)).filter((hit) => hit.startsWith('hit'));
    assert.deepEqual(hits, [`hit ${internetAddress} ${canaryPort}`]);
  });

  it('all of it without the rules, so that this test would tell; and the check of the service tells too', async () => {
    await runScript(removeEgressScript(instanceOf(bench)), networkNamespace);
    const answers = await tryFromBox(forbidden());
    assert.deepEqual(new Set(Object.values(answers)), new Set(['connected']));
    const hits = (await network.untilHits(forbidden().length)).filter((hit) => hit.startsWith('hit'));
    assert.deepEqual(
      hits,
      forbidden()
        .map((place) => `hit ${place.replace(':', ' ')}`)
        .sort(),
    );
    await runScript(egressScript(bench.engine.network?.report().plan ?? assert.fail('no plan')), networkNamespace);
    await tryFromBox(forbidden());
    assert.deepEqual(network.takeHits(), []);
  });
});

describe('the check of the network', () => {
  const box = { image, boxdDir: '' };
  let bench: Bench;
  let network: HostNetwork;
  before(async () => {
    network = await HostNetwork.around(networkNamespace);
    bench = await Bench.make({ ...subject, make: (place) => subject.make(place) });
    box.boxdDir = join(bench.folder, 'boxd', 'test');
  });
  after(async () => {
    await bench.close();
    await network[Symbol.asyncDispose]();
  });
  const rulesOf = async (chain: string) => (await network.inside('iptables', '-S', chain)).trim().split('\n');

  it('finds nothing where the rules hold, sets them once however often, and touches no other', async () => {
    const foreign = ['-s', '192.0.2.1/32', '-j', 'RETURN'];
    await network.inside('iptables', '-I', 'INPUT', ...foreign);
    const before = await rulesOf('INPUT');
    const { network: boxes } = bench.engine;
    assert(boxes);
    const changes: string[] = [];
    await boxes.watch(box, () => changes.push('changed'));
    assert.deepEqual(boxes.problems(), []);
    const { failure, reached, untried, checkedMs } = boxes.report();
    assert.deepEqual([failure, reached, untried], [null, [], null]);
    assert.ok(Number(checkedMs) > 0);
    await runScript(egressScript(boxes.report().plan), networkNamespace);
    await boxes.check();
    assert.equal((await rulesOf('INPUT')).length, before.length + 1);
    assert.deepEqual(changes, []);
    // The check leaves no network and no container.
    const filters = { name: [`check-${instanceOf(bench)}`] };
    assert.deepEqual(await docker.listContainers({ all: true, filters }), []);
    assert.deepEqual(await docker.listNetworks({ filters }), []);
    // With no box left they go, and what was there before stays.
    const other = await Bench.make({ ...subject, make: (place) => subject.make(place) });
    await other.engine.network?.watch(box, () => undefined);
    await other.close();
    assert.equal((await rulesOf('INPUT')).length, before.length + 1, 'the other service took its own rules only');
    await bench.engine.close();
    assert.deepEqual(await rulesOf('INPUT'), before);
    await assert.rejects(rulesOf(`SPOON-IN-${instanceOf(bench)}`));
    await network.inside('iptables', '-D', 'INPUT', ...foreign);
  });

  it('says what can be reached and what to do where no rules can be set', async () => {
    const nowhere = { ...egress, networkNamespace: '/nonexistent/net' };
    const other = await Bench.make({ ...subject, make: (place) => subject.make(place, nowhere) });
    const { network: boxes } = other.engine;
    assert(boxes);
    let changes = 0;
    await boxes.watch(box, () => changes++);
    assert.equal(changes, 1);
    const { reached } = boxes.report();
    for (const address of ['169.254.169.254']) assert.ok(reached.includes(address), `${address} in ${reached}`);
    const [problem = ''] = boxes.problems();
    assert.match(problem, /^Boxes can reach this machine or its network \(10\.201\..*169\.254\.169\.254.*\)/);
    assert.match(problem, /nonexistent.*spoonctl admin network apply$/);
    assert.deepEqual((await other.engine.probe()).problems.at(-1), problem);
    // As the administrator does by hand.
    await runScript(egressScript(boxes.report().plan), networkNamespace);
    assert.deepEqual((await boxes.check()).reached, []);
    assert.deepEqual(boxes.problems(), []);
    await runScript(removeEgressScript(boxes.report().plan.instance), networkNamespace);
    await other.close();
  });

  it('says so where it cannot be tried', async () => {
    const other = await Bench.make({ ...subject, make: (place) => subject.make(place) });
    await other.engine.network?.watch({ ...box, image: 'spoon-no-such-image:x' }, () => undefined);
    assert.match(String(other.engine.network?.problems()), /could not be tried: .*spoon-no-such-image/);
    await other.close();
  });
});
