import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import Docker from 'dockerode';
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
    await service?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
  });

  async function personOf(name: string): Promise<TestUser> {
    const user = await service.addUser(name);
    await service.put(user, '.bashrc', "PS1='$ '\nbind 'set enable-bracketed-paste off'\n");
    return user;
  }
  const containers = async () => (await docker.listContainers()).map(({ Id }) => Id).sort();

  it('leaves boxes and terminals as they are, their viewers unaware of it', async () => {
    const terminal = await WatchedTerminal.open(service, ada);
    await terminal.untilText(/\$ /);
    terminal.type(counter);
    await terminal.untilText(/n=3;/);
    const boxes = await containers();
    await engine.crashDaemon();
    const { length } = terminal.output;
    await terminal.until(() => terminal.output.length > length + 100, 'more output');
    assert.equal(terminal.attachments, 1);
    assert.deepEqual(terminal.closeCodes, []);
    assert.deepEqual(await containers(), boxes);
    terminal.type('\x03');
    terminal.type('clear; echo al""ive\r');
    await terminal.untilText(/alive/);
    terminal.session.detach();
  });

  it('is used again by the service: terminals open, another box starts, one ends by itself and is seen to', async () => {
    assert.equal(await service.inBox(ada, 'echo', 'same box'), 'same box');
    const grace = await personOf('Grace');
    const second = await WatchedTerminal.open(service, grace);
    await second.untilText(/\$ /);
    assert.equal((await containers()).length, 2);
    // boxd is the parent of every shell; without it the box ends, which only the new daemon can tell.
    second.type('exec kill -9 $PPID\r');
    await second.until(() => second.states.at(-1)?.name === 'ended', 'the end');
    assert.equal((await containers()).length, 1);
  });

  it('while the service was away as well, is followed by a service that finds the same boxes and terminals', async () => {
    const terminal = await WatchedTerminal.open(service, ada);
    await terminal.untilText(/\$ /);
    terminal.type(counter);
    await terminal.untilText(/n=3;/);
    const boxes = await containers();
    await service.kill('SIGKILL');
    await engine.crashDaemon();
    await service.launch();
    await terminal.until(() => terminal.attachments === 2, 'the attachment');
    const { length } = terminal.output;
    await terminal.until(() => terminal.output.length > length + 100, 'more output');
    assert.deepEqual(await containers(), boxes);
    const numbers = [...terminal.output.matchAll(/n=(\d+);/g)].map((match) => Number(match[1]));
    assert.deepEqual(numbers, [...numbers.keys()]);
    terminal.session.detach();
  });
});
