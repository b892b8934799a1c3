import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { openNodeSocket } from '../../cli/nodeSocket.ts';
import { ApiClient } from '../../client/apiClient.ts';
import { TerminalSession } from '../../client/terminalSession.ts';
import type { Box } from '../../protocol/boxes.ts';
import { ensureBusybox, ensurePlainDebian } from '../../scripts/provision/plainImages.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const host = process.env.SPOON_TEST_DOCKER_HOST ?? '';
const docker = new Docker({ socketPath: host.replace('unix://', '') });

/** A terminal with somebody before it, which says when `wanted` has been shown. */
async function terminal(service: RunningService, user: TestUser, wanted: string) {
  const api = new ApiClient({ url: service.url, token: () => user.token, clientId: 'test', fetch });
  let shown = '';
  const { promise, resolve } = Promise.withResolvers<string>();
  const session = await TerminalSession.open(
    { api, openSocket: openNodeSocket },
    {},
    {
      ...{ columns: 80, rows: 24, onState: () => undefined },
      onOutput: (bytes) => {
        shown += Buffer.from(bytes).toString();
        if (shown.includes(wanted)) resolve(shown);
      },
    },
  );
  return { type: (text: string) => session.write(Buffer.from(text)), shown: promise, end: () => session.end() };
}

async function describeBox(service: RunningService, user: TestUser): Promise<Box> {
  return (await (await service.fetch(user, '/v1/box')).json()) as Box;
}

describe('an image that people bring', { timeout: 180_000 }, () => {
  it('is a box without anything of ours in it: terminal, command and dotfiles', async () => {
    const image = await ensurePlainDebian(docker, () => undefined);
    await using service = await RunningService.start({ engine: 'docker', environment: { SPOON_AGENT_IMAGE: image } });
    const ada = await service.addUser('Ada Lovelace');
    await service.put(ada, '.bashrc', "PS1='own> '\nexport SPOON_PROOF=first\n");
    assert.equal(await service.inBox(ada, 'bash', '-lic', 'echo $SPOON_PROOF; whoami; pwd'), 'first\nada\n/home/ada');
    assert.equal(await service.inBox(ada, 'sh', '-c', 'test -e /etc/profile.d/spoon.sh || echo plain'), 'plain');
    await service.put(ada, '.bashrc', "PS1='own> '\nexport SPOON_PROOF=second\n");
    const opened = await terminal(service, ada, 'proof second');
    opened.type('echo "pro""of $SPOON_PROOF"\r');
    assert.match(await opened.shown, /own> /);
    await opened.end();
  });

  it('is refused by name where boxd cannot run in it, in words for the person and the log', async () => {
    const image = await ensureBusybox(docker, () => undefined);
    await using service = await RunningService.start({ engine: 'docker', environment: { SPOON_AGENT_IMAGE: image } });
    const ada = await service.addUser('Ada Lovelace');
    const { code, stderr } = await service.spoonctl(ada, ['exec', '--', 'true']);
    assert.notEqual(code, 0);
    assert.match(stderr, /spoon-test-busybox:latest has no glibc .*glibc 2\.28 or newer.*libstdc\+\+/);
    const answer = await service.fetch(ada, '/v1/box/start', { method: 'POST' });
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [422, 'image-unsuitable']);
    const box = await describeBox(service, ada);
    assert.equal(box.state, 'failed');
    assert.match(box.detail ?? '', /has no glibc/);
    assert.deepEqual(await docker.listContainers({ all: true, filters: { ancestor: [image] } }), []);
  });
});

describe('an image that is made anew under its name', { timeout: 180_000 }, () => {
  const name = `spoon-test-drift-${process.pid}`;
  let plain: string;
  const point = (image: string): Promise<unknown> => docker.getImage(image).tag({ repo: name, tag: 'latest' });
  before(async () => {
    plain = await ensurePlainDebian(docker, () => undefined);
    await point(process.env.SPOON_TEST_IMAGE ?? '');
  });
  after(() => docker.getImage(`${name}:latest`).remove());

  it('is shown, and in the box once nothing holds that', async () => {
    await using service = await RunningService.start({
      engine: 'docker',
      // How often it looks depends on it.
      environment: { SPOON_AGENT_IMAGE: name, SPOON_AGENT_BOX_IDLE_MS: '5000' },
    });
    const ada = await service.addUser('Ada Lovelace');
    assert.equal(await service.inBox(ada, 'sh', '-c', 'command -v nvim'), '/usr/bin/nvim');
    const { end } = await terminal(service, ada, '');
    assert.doesNotMatch((await service.spoonctl(ada, ['status'])).stdout, /older/);
    await point(plain);
    while ((await describeBox(service, ada)).outdated?.[0] !== 'image') await delay(50);
    assert.match(
      (await service.spoonctl(ada, ['status'])).stdout,
      /running since[\s\S]*runs an older image than new boxes get/,
    );
    assert.equal(await service.inBox(ada, 'sh', '-c', 'command -v nvim'), '/usr/bin/nvim', 'somebody is in it');
    await end();
    while ((await service.inBox(ada, 'sh', '-c', 'command -v nvim || echo none')) !== 'none') await delay(50);
    assert.equal((await describeBox(service, ada)).outdated, undefined);
  });
});
