import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from '../../boxd/testing/eventually.ts';
import { ApiClient } from '../../client/apiClient.ts';
import { nodeDocker } from '../../extension/node/nodeDocker.ts';
import { type AttachPlace, planAttach } from '../../extension/threadFolder/attachedContainer.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const run = promisify(execFile);
const host = process.env.SPOON_TEST_DOCKER_HOST ?? '';

// Everything is real up to VS Code's own command that opens the folder: service, box, Docker, its command.
describe('Attach to Container', { concurrency: false, timeout: 240_000 }, () => {
  let folder: string;
  let service: RunningService;
  let ada: TestUser;
  /** The docker command of somebody whose Docker is the test's. */
  let program: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-attach-'));
    program = join(folder, 'docker');
    await writeFile(program, `#!/bin/sh\nexec docker --host '${host}' "$@"\n`, { mode: 0o755 });
    service = await RunningService.start({ engine: 'docker' });
    ada = await service.addUser('Ada');
  });
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const client = (user: TestUser): ApiClient =>
    new ApiClient({
      url: service.url,
      token: () => user.token,
      clientId: 'test',
      fetch: (url, init) => fetch(url, init),
    });
  const plan = (changes: Partial<AttachPlace> = {}) =>
    planAttach(client(ada), { isLocalWindow: true, docker: nodeDocker, program, ...changes });

  it('names no container while there is none', async () => {
    await assert.rejects(plan(), (error) => error instanceof SpoonError && error.code === 'box-stopped');
  });

  it('leads to the own box, where VS Code works as its user in their home', async () => {
    assert.equal(await service.inBox(ada, 'id', '-un'), 'ada');
    const found = await plan();
    assert.ok('authority' in found, JSON.stringify(found));
    const [, hex = ''] = found.authority.split('+');
    const { containerName, ...more } = JSON.parse(Buffer.from(hex, 'hex').toString()) as { containerName: string };
    assert.match(containerName, /^\/spoon-box-ada-/);
    assert.deepEqual(more, {});

    const name = containerName.slice(1);
    const metadata = '{{index .Config.Labels "devcontainer.metadata"}}';
    const { stdout: label } = await run(program, ['inspect', '--format', metadata, name]);
    const [{ remoteUser }] = JSON.parse(label) as [{ remoteUser: string }];
    const inside = ['sh', '-c', 'id -un; echo $HOME; touch ~/mine && stat -c %U ~/mine'];
    const { stdout } = await run(program, ['exec', '--user', remoteUser, name, ...inside]);
    assert.equal(stdout, 'ada\n/home/ada\nada\n');
  });

  it('holds the box for as long as it is there', async () => {
    const { containerId } = await client(ada).call('boxContainer');
    const attached = run(program, ['exec', '-i', containerId ?? '', 'cat']);
    const holders = async () => (await client(ada).call('box')).holders.map(({ id }) => id);
    await eventually('held', async () => (await holders()).includes('outside'));
    attached.child.stdin?.end();
    await attached;
    await eventually('let go', async () => !(await holders()).includes('outside'));
  });

  it('says in one sentence why it cannot be', async () => {
    const why = async (changes: Partial<AttachPlace>): Promise<string> => {
      const found = await plan(changes);
      assert.ok('missing' in found);
      return found.missing;
    };
    assert.match(await why({ isLocalWindow: false }), /needs a window .* on the machine that runs Docker\.$/);
    assert.match(await why({ program: join(folder, 'nothing') }), /^There is no .* command on this machine/);
    const elsewhere = join(folder, 'other');
    await writeFile(elsewhere, `#!/bin/sh\nexec docker --host unix://${folder}/no.sock "$@"\n`, { mode: 0o755 });
    assert.match(await why({ program: elsewhere }), /does not answer/);
    const other = join(folder, 'another');
    // Another Docker has no container of that id, as this one has none of another.
    await writeFile(other, `#!/bin/sh\nexec docker --host '${host}' container inspect ${'0'.repeat(64)}\n`, {
      mode: 0o755,
    });
    assert.match(await why({ program: other }), /^Your box runs on another machine/);
  });

  it('tells nobody else where the box is', async () => {
    const grace = await service.addUser('Grace');
    await assert.rejects(client(grace).call('boxContainer'), (error) => {
      return error instanceof SpoonError && error.code === 'box-stopped';
    });
  });
});
