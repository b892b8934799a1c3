import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Docker from 'dockerode';
import { SpoonError } from '../../protocol/errors.ts';
import { DockerEngine } from './dockerEngine.ts';
import { engineConformance } from './engine.conformance.ts';
import type { BoxEnd, BoxSpec, EngineBox } from './engine.ts';
import { Bench, type Place, until } from './engineBench.conformance.ts';

// `npm test` starts a Docker of its own and sets these.
const host = process.env.SPOON_TEST_DOCKER_HOST;
const image = process.env.SPOON_TEST_IMAGE ?? 'spoon-box:dev';
assert.ok(host, 'SPOON_TEST_DOCKER_HOST is not set; npm test sets it to a Docker of its own');
const docker = new Docker({ socketPath: host.slice('unix://'.length) });
const isRoot = process.getuid?.() === 0;

const subject = {
  title: 'Docker engine',
  make: async ({ instanceId }: Place, address = host) =>
    new DockerEngine({ host: address, instanceId, separatesUsers: isRoot }),
  image,
  boxUid: (uid: number) => (isRoot ? uid : (process.getuid?.() ?? uid)),
  removeFromOutside: ({ engineId }: EngineBox) => docker.getContainer(engineId).remove({ force: true }),
  promises: { isolation: true, ownUid: isRoot, limits: true },
};
engineConformance({ ...subject, make: (place) => subject.make(place) });

const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;
const spec: BoxSpec = {
  userId: 'u',
  username: 'ada',
  uid: 100_001,
  gid: 100_001,
  shell: '/bin/bash',
  homePath: '/nonexistent/home',
  socketDir: '/nonexistent/run',
  boxdDir: '/nonexistent/boxd',
  systemFiles: { passwd: '/nonexistent/p', group: '/nonexistent/g', gitconfig: '/nonexistent/c' },
  image,
  memoryBytes: 256 * 1024 * 1024,
  cpus: 1,
  maxProcesses: 64,
};

describe('Docker engine and a Docker that goes away', () => {
  it('tells afterwards of a box that ended meanwhile, and not of one that ran on (R5)', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-docker-'));
    const relay = new Relay(join(folder, 'docker.sock'), host.slice('unix://'.length));
    await relay.open();
    const bench = await Bench.make({
      ...subject,
      make: (place) => subject.make(place, `unix://${folder}/docker.sock`),
    });
    const ends: BoxEnd[] = [];
    bench.engine.watch({ onEnd: (end) => ends.push(end), onMemoryKill: () => undefined });
    const users = [['ada', 100_001], ...(isRoot ? [['grace', 100_002] as const] : [])] as const;
    const started = await Promise.all(
      users.map(async ([name, uid]) => bench.engine.start(await bench.spec(name, uid))),
    );

    relay.cut();
    await assert.rejects(bench.engine.list(), code('engine-unavailable'));
    const [first] = started;
    assert.ok(first);
    await docker.getContainer(first.engineId).remove({ force: true });
    await relay.open();
    const end = await until(5_000, () => ends[0]);
    assert.deepEqual([end.engineId, end.reason], [first.engineId, 'removed']);
    assert.equal((await bench.engine.list()).length, started.length - 1);
    assert.equal(ends.length, 1);
    await bench.close();
    relay.cut();
    await rm(folder, { recursive: true });
  });
});

async function assertNothingLeft(instanceId: string): Promise<void> {
  const filters = { label: [`spoon.instance=${instanceId.slice(0, 8)}`] };
  assert.deepEqual(await docker.listContainers({ all: true, filters }), []);
  assert.deepEqual(await docker.listNetworks({ filters }), []);
}

/** Docker's socket at another place, for a test to cut. */
class Relay {
  readonly #path: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(path: string, target: string) {
    this.#path = path;
    this.#target = target;
  }

  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(this.#target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket.on('error', () => undefined));
        socket.once('close', () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    this.#server.listen(this.#path);
    await once(this.#server, 'listening');
  }

  cut(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }
}

describe('Docker engine: what it says when it cannot', () => {
  const engineAt = (address: string) =>
    new DockerEngine({ host: address, instanceId: crypto.randomUUID(), separatesUsers: true });

  it('refuses an address that is not a local socket', () => {
    assert.throws(() => engineAt('tcp://10.0.0.1:2375'), code('config-invalid'));
  });

  it('says engine-unavailable when there is no Docker', async () => {
    const engine = engineAt('unix:///nonexistent/docker.sock');
    for (const call of [
      () => engine.probe(),
      () => engine.start(spec),
      () => engine.stop('ada', 1),
      () => engine.list(),
    ]) {
      await assert.rejects(call, code('engine-unavailable'));
    }
    await engine.close();
  });

  it('says engine-unavailable within 2 s when Docker accepts and never answers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-docker-'));
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
    mute.listen(join(folder, 'docker.sock'));
    await once(mute, 'listening');
    const engine = engineAt(`unix://${folder}/docker.sock`);
    const startMs = performance.now();
    const calls = [engine.probe(), engine.start(spec), engine.stop('grace', 1), engine.list()];
    for (const result of await Promise.allSettled(calls)) {
      assert.ok(result.status === 'rejected' && code('engine-unavailable')(result.reason), String(result.status));
    }
    assert.ok(performance.now() - startMs < 2_000);
    await engine.close();
    for (const socket of sockets) socket.destroy();
    mute.close();
    await rm(folder, { recursive: true });
  });

  it('names an image that is not there', async () => {
    const instanceId = crypto.randomUUID();
    const engine = new DockerEngine({ host, instanceId, separatesUsers: true });
    const missing = engine.start({ ...spec, image: 'spoon-box:of-nobody' });
    await assert.rejects(missing, (error) => code('image-missing')(error) && /of-nobody/.test(String(error)));
    await assertNothingLeft(instanceId);
    await engine.close();
  });

  it('removes what it began when a box does not start', async () => {
    const instanceId = crypto.randomUUID();
    const engine = new DockerEngine({ host, instanceId, separatesUsers: true });
    await assert.rejects(engine.start(spec), (error) => {
      assert.ok(code('box-start-failed')(error) && error instanceof SpoonError);
      assert.doesNotMatch(error.message, /nonexistent/, 'no path of the host');
      assert.match(String(error.cause), /nonexistent/);
      return true;
    });
    await assertNothingLeft(instanceId);
    await engine.close();
  });

  it('refuses an image of another architecture', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-docker-'));
    const answers: Record<string, [number, unknown]> = {
      'GET /_ping': [200, 'OK'],
      'GET /images/foreign/json': [200, { Os: 'linux', Architecture: 'riscv64' }],
      'GET /networks': [200, []],
      'POST /networks/create': [201, { Id: 'n' }],
    };
    const server = createHttpServer((request, response) => {
      const [status, value] = answers[`${request.method} ${request.url}`] ?? [404, { message: 'none' }];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    });
    server.listen(join(folder, 'docker.sock'));
    await once(server, 'listening');
    const engine = engineAt(`unix://${folder}/docker.sock`);
    const unsuitable = engine.start({ ...spec, image: 'foreign' });
    await assert.rejects(unsuitable, (error) => code('image-unsuitable')(error) && /riscv64/.test(String(error)));
    await engine.close();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
});
