import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';
import Docker from 'dockerode';
import { ensureServiceBase } from '../../scripts/provision/plainImages.ts';
import { reachService, runInside, ServiceMachine, untilHealthy } from '../fixtures/serviceContainer.fixture.ts';
import { ensureServiceImage } from '../fixtures/serviceImage.fixture.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';

const host = process.env.SPOON_TEST_DOCKER_HOST ?? '';
const docker = new Docker({ socketPath: host.replace('unix://', '') });
const file = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

describe('the service as a container', { timeout: 240_000 }, () => {
  let image: string;
  before(async () => {
    image = await ensureServiceImage(docker, await ensureServiceBase(docker, () => undefined));
  });

  it('has boxes beside it, with the homes of its host, and its terminals outlive it', async () => {
    await using stack = new AsyncDisposableStack();
    const machine = stack.use(await ServiceMachine.create(docker, image));
    const container = await machine.up();
    await untilHealthy(container);
    assert.match((await runInside(container, ['spoonctl', 'users', 'add', 'Ada Lovelace'])).said, /\bada\b/);
    const made = await runInside(container, ['spoonctl', 'tokens', 'create', '--user', 'ada', '--json']);
    const { token } = JSON.parse(made.said) as { token: string };
    const url = await reachService(stack);
    const ada = { username: 'ada', token };
    for (const path of ['/admin', '/admin/main.js']) assert.equal((await fetch(new URL(path, url))).status, 200, path);

    const terminal = await WatchedTerminal.open({ url }, ada);
    stack.defer(() => terminal.session.detach());
    const body = Buffer.from('PS1="ready> "\nexport SPOON_PROOF=sibling\n');
    const saved = await fetch(new URL('/v1/dotfiles/content?path=.bashrc', url), {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'if-none-match': '*' },
      body,
    });
    assert.equal(saved.status, 200, await saved.text());
    terminal.type('exec bash\r');
    await terminal.untilText(/ready> /);
    terminal.type('mark=here; echo "$SPOON_PROOF $(whoami) $PWD"\r');
    await terminal.untilText(/sibling ada \/home\/ada/);

    // By its home: another test may have an ada on this engine.
    const home = `${machine.data}/work/homes/ada`;
    const boxes = async () =>
      (await docker.listContainers()).filter(({ Mounts }) =>
        Mounts.some(({ Source, Destination }) => Source === home && Destination === '/home/ada'),
      );
    const [box] = await boxes();
    assert.ok(box, 'the box is a container of the same engine');
    const check = await runInside(container, ['spoonctl', 'admin', 'network', 'check']);
    assert.equal(check.code, 0, `boxes are kept off its network by the rules that it sets: ${check.said}`);

    await container.restart();
    await untilHealthy(container);
    await terminal.until(() => terminal.attachments >= 2, 'the second attachment');
    terminal.type('echo "still $mark"\r');
    await terminal.untilText(/still here/);
    assert.deepEqual(
      (await boxes()).map(({ Id }) => Id),
      [box.Id],
      'the same box',
    );
  });

  it('runs without root for one person, who has the box', async () => {
    await using machine = await ServiceMachine.create(docker, image);
    const user = await machine.ownedBy(1000);
    const container = await machine.up((options) => {
      options.User = user;
      Object.assign(options.HostConfig ?? {}, { CapAdd: [] });
    });
    await untilHealthy(container);
    await runInside(container, ['spoonctl', 'users', 'add', 'Ada Lovelace']);
    const made = await runInside(container, ['spoonctl', 'tokens', 'create', '--user', 'ada', '--json']);
    const { token } = JSON.parse(made.said) as { token: string };
    const { said } = await runInside(container, ['spoonctl', 'exec', '--', 'sh', '-c', 'id -u; pwd'], token);
    assert.match(said, /^1000\n\/home\/ada$/m);
  });

  it('does not start where boxes would have other folders than it, and says which are right', async () => {
    await using machine = await ServiceMachine.create(docker, image);
    const started = async (change: (options: Docker.ContainerCreateOptions) => void) =>
      machine.ended(
        await machine.up((options) => {
          Object.assign(options.HostConfig ?? {}, { RestartPolicy: { Name: 'no' } });
          change(options);
        }),
      );
    const setHostWorkdir = (options: Docker.ContainerCreateOptions, value: string) => {
      const others = options.Env?.filter((entry) => !entry.startsWith('SPOON_AGENT_HOST_WORKDIR=')) ?? [];
      options.Env = [...others, `SPOON_AGENT_HOST_WORKDIR=${value}`];
    };
    const right = `set SPOON_AGENT_HOST_WORKDIR=${machine.data}/work.`;
    const unset = await started((options) => setHostWorkdir(options, ''));
    const wrong = await started((options) => setHostWorkdir(options, '/srv/elsewhere'));
    const unmounted = await started((options) => options.Env?.push('SPOON_AGENT_WORKDIR=/run/work'));
    assert.equal(unset.code, 78, unset.said);
    assert.ok(unset.said.includes('SPOON_AGENT_HOST_WORKDIR is not set.') && unset.said.includes(right), unset.said);
    assert.equal(wrong.code, 78, wrong.said);
    assert.match(wrong.said, /SPOON_AGENT_HOST_WORKDIR is \/srv\/elsewhere\./);
    assert.equal(unmounted.code, 78, unmounted.said);
    assert.match(unmounted.said, /is \/run\/work, inside the container of the service.*Mount a folder of the host/);
  });
});

describe('docker/service.Dockerfile', () => {
  it('has nothing that a linter complains about, and no digest of its own', async () => {
    const text = await file('docker/service.Dockerfile');
    assert.deepEqual(validate(text), []);
    assert.doesNotMatch(text, /[0-9a-f]{40,}/);
    assert.match(text, /^ARG FEDORA$/m);
  });

  it('says the version that it is', async () => {
    const { version } = JSON.parse(await file('package.json')) as { version: string };
    assert.match(await file('docker/service.Dockerfile'), new RegExp(`image\\.version="${version}"`));
  });
});
