import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import type { EgressReport } from '../../protocol/egress.ts';
import { ensureDebianImage, removeOldImages } from '../../scripts/provision/debianImage.ts';
import { startTestEngine, type TestEngine } from '../../scripts/provision/docker.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const say = (text: string): void => console.log(text);
const counter = 'i=0; while :; do echo "n=$i;"; i=$((i+1)); sleep 0.02; done\r';

// An engine of its own: those of the other tests must not be killed. Its image was imported by an earlier run, or is now.
describe('a daemon of Docker that is killed, with live-restore', { concurrency: false, timeout: 400_000 }, () => {
  let engine: TestEngine;
  let docker: Docker;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    engine = await startTestEngine(say);
    docker = new Docker({ socketPath: engine.socketPath });
    const image = await ensureDebianImage(docker, say);
    await removeOldImages(docker);
    const environment = {
      DOCKER_HOST: engine.host,
      SPOON_AGENT_IMAGE: image,
      SPOON_AGENT_NETWORK_NAMESPACE: engine.networkNamespace,
    };
    service = await RunningService.start({ engine: 'docker', environment });
    ada = await personOf('Ada');
  });
  after(async () => {
    try {
      await service?.[Symbol.asyncDispose]();
    } finally {
      await engine?.[Symbol.asyncDispose]();
    }
  });

  async function personOf(name: string): Promise<TestUser> {
    const user = await service.addUser(name);
    await service.put(user, '.bashrc', "PS1='$ '\nbind 'set enable-bracketed-paste off'\n");
    return user;
  }
  /** Every container and network that is Spoon's, also one that has ended. */
  async function whatIsThere(): Promise<string[]> {
    const containers = await docker.listContainers({ all: true });
    const networks = await docker.listNetworks();
    return [
      ...containers.map(({ Names, Id }) => `${Names[0]} ${Id}`),
      ...networks.map(({ Name, Id }) => `${Name} ${Id}`).filter((name) => name.startsWith('spoon-')),
    ].sort();
  }

  /**
   * Waits until the box of Ada is all there is, and nothing changes: the service tries by a box of its own what boxes reach,
   * and a Docker 20.10 that is killed while it makes or removes a network panics over the half of it at its next start.
   */
  async function atRest(): Promise<string[]> {
    const endMs = Date.now() + 60_000;
    let before: string[] = [];
    for (;;) {
      const { checkedMs } = await service.admin<EgressReport>('GET', '/v1/admin/network');
      const found = await whatIsThere();
      const isOnlyAda = found.length === 2 && found.every((name) => name.includes('ada'));
      if (checkedMs !== null && isOnlyAda && found.join() === before.join()) return found;
      if (Date.now() > endMs) throw new Error(`never at rest: ${found.join(', ')}`);
      before = found;
      await delay(300);
    }
  }

  it('leaves boxes and terminals as they are, their viewers unaware of it', async () => {
    const terminal = await WatchedTerminal.open(service, ada);
    await terminal.untilText(/\$ /);
    terminal.type(counter);
    await terminal.untilText(/n=3;/);
    const boxes = await atRest();
    await engine.crashDaemon();
    const { length } = terminal.output;
    await terminal.until(() => terminal.output.length > length + 100, 'more output');
    assert.equal(terminal.attachments, 1);
    assert.deepEqual(terminal.closeCodes, []);
    assert.deepEqual(await atRest(), boxes);
    terminal.type('\x03');
    // Ctrl-C throws away what was typed and not yet read, so the prompt is waited for.
    await terminal.untilText(/\^C\r\n[^\n]*\$ /);
    terminal.type('clear; echo al""ive\r');
    await terminal.untilText(/alive/);
    terminal.session.detach();
  });

  it('is used again by the service: terminals open, another box starts, one ends by itself and is seen to', async () => {
    assert.equal(await service.inBox(ada, 'echo', 'same box'), 'same box');
    const grace = await personOf('Grace');
    const second = await WatchedTerminal.open(service, grace);
    await second.untilText(/\$ /);
    assert.equal((await whatIsThere()).filter((name) => name.startsWith('/spoon-box-')).length, 2);
    // boxd is the parent of every shell; without it the box ends, which only the new daemon can tell.
    second.type('exec kill -9 $PPID\r');
    await second.until(() => second.states.at(-1)?.name === 'ended', 'the end');
    await atRest();
  });

  it('while the service was away as well, is followed by a service that finds the same boxes and terminals', async () => {
    const terminal = await WatchedTerminal.open(service, ada);
    await terminal.untilText(/\$ /);
    terminal.type(counter);
    await terminal.untilText(/n=3;/);
    const boxes = await atRest();
    await service.kill('SIGKILL');
    await engine.crashDaemon();
    await service.launch();
    await terminal.until(() => terminal.attachments === 2, 'the attachment');
    const { length } = terminal.output;
    await terminal.until(() => terminal.output.length > length + 100, 'more output');
    assert.deepEqual(await atRest(), boxes);
    const numbers = [...terminal.output.matchAll(/n=(\d+);/g)].map((match) => Number(match[1]));
    assert.deepEqual(numbers, [...numbers.keys()]);
    terminal.session.detach();
  });
});
