import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Docker from 'dockerode';
import { ensureDebianImage } from '../../scripts/provision/debianImage.ts';
import { startTestEngine } from '../../scripts/provision/docker.ts';
import { WatchedTerminal } from '../fixtures/watchedTerminal.fixture.ts';
import { RunningService } from '../runningService.ts';

const clearWordsMs = 2_000;
const backMs = 30_000;

describe('Docker is killed and comes back', () => {
  it('terminals do not notice, files go on, and what needs Docker says so within 2 s', async () => {
    await using engine = await startTestEngine(() => undefined);
    const docker = new Docker({ socketPath: engine.socketPath });
    await using service = await RunningService.start({
      engine: 'docker',
      environment: {
        DOCKER_HOST: engine.host,
        SPOON_AGENT_IMAGE: await ensureDebianImage(docker, () => undefined),
      },
    });
    const ada = await service.addUser('Ada');
    await service.put(ada, '.bashrc', "PS1='$ '\n");
    const bob = await service.addUser('Bob');
    const terminal = await WatchedTerminal.open(service, ada);
    await terminal.untilText(/\$ $/);
    terminal.type('echo shell=$$; cat\r');
    await terminal.untilText(/shell=\d+\r\n/);

    await engine.kill();
    terminal.type('still the same\r');
    await terminal.untilText(/still the same\r\nstill the same/);
    await service.put(ada, '.kept', 'while Docker was away\n');
    const startMs = performance.now();
    const refused = await service.fetch(bob, '/v1/box/start', { method: 'POST' });
    assert.ok(performance.now() - startMs < clearWordsMs, `${performance.now() - startMs} ms`);
    // It may be back by now, which is as good.
    if (refused.status !== 200) {
      assert.equal(refused.status, 503);
      assert.match(await refused.text(), /"code":"engine-unavailable"/);
    }

    const again = async (): Promise<boolean> =>
      (await service.fetch(bob, '/v1/box/start', { method: 'POST' })).status === 200;
    for (const endMs = performance.now() + backMs; !(await again()); )
      assert.ok(performance.now() < endMs, 'it is back');
    terminal.type('\x03echo "shell=$$"; cat .kept\r');
    await terminal.untilText(/while Docker was away/);
    const [first, second] = [...terminal.output.matchAll(/shell=(\d+)/g)].map((match) => match[1]);
    assert.ok(first !== undefined && first === second, `${first} and ${second}`);
    assert.deepEqual(terminal.closeCodes, [], 'the connection was never lost');
    terminal.session.detach();
  });
});
