import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Box, Health } from '../../protocol/boxes.ts';
import { DockerDoor } from '../fixtures/dockerDoor.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

/** R6: within it a clear answer, whatever Docker does. */
const limitMs = 2_000;

describe('a Docker that is away', { concurrency: false }, () => {
  let door: DockerDoor;
  let service: RunningService;
  /** Ada has a box that runs, Grace has none. */
  let ada: TestUser;
  let grace: TestUser;
  before(async () => {
    const host = process.env.SPOON_TEST_DOCKER_HOST;
    assert(host, 'SPOON_TEST_DOCKER_HOST is not set: run the tests through npm test');
    door = await DockerDoor.before(host);
    service = await RunningService.start({ engine: 'docker', environment: { DOCKER_HOST: door.host } });
    ada = await service.addUser('Ada');
    grace = await service.addUser('Grace');
    await service.inBox(ada, 'true');
  });
  after(async () => {
    await door?.open();
    await service?.[Symbol.asyncDispose]();
    await door?.[Symbol.asyncDispose]();
  });

  async function call(user: TestUser, method: string, path: string, body?: unknown) {
    const startMs = performance.now();
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await service.fetch(user, path, { method, ...init });
    const answer = (await response.json().catch(() => ({}))) as { code?: string };
    const ms = performance.now() - startMs;
    assert.ok(ms < limitMs, `${method} ${path} took ${ms} ms`);
    return { status: response.status, code: answer.code };
  }
  const size = { columns: 80, rows: 24 };

  for (const [how, go] of [
    ['takes connections and never answers', () => door.mute()],
    ['has no socket', () => door.close()],
  ] as const) {
    describe(how, () => {
      before(go);

      it('is said within 2 s by every route that needs it', async () => {
        for (const [user, method, path, body] of [
          [grace, 'POST', '/v1/box/start'],
          [grace, 'POST', '/v1/box/restart'],
          [grace, 'POST', '/v1/terminals', size],
          [grace, 'POST', '/v1/commands', { argv: ['true'] }],
          [grace, 'GET', '/v1/home/usage'],
        ] as const) {
          assert.deepEqual(await call(user, method, path, body), { status: 503, code: 'engine-unavailable' }, path);
        }
      });

      it('leaves everything else as it is: files, and the box that runs', async () => {
        for (const [user, method, path, body, status] of [
          [ada, 'GET', '/v1/dotfiles', undefined, 200],
          [grace, 'GET', '/v1/dotfiles', undefined, 200],
          [grace, 'GET', '/v1/box', undefined, 200],
          [grace, 'GET', '/v1/terminals', undefined, 200],
          [grace, 'GET', '/v1/threads', undefined, 200],
          [ada, 'POST', '/v1/terminals', size, 200],
          [ada, 'POST', '/v1/commands', { argv: ['true'] }, 200],
          [ada, 'GET', '/v1/terminals', undefined, 200],
          [ada, 'GET', '/v1/files/list?path=', undefined, 200],
        ] as const) {
          const answer = await call(user, method, path, body);
          assert.equal(answer.status, status, `${method} ${path}: ${answer.code}`);
        }
        await service.put(ada, '.away', how);
        const health = (await (await service.fetch(ada, '/v1/health')).json()) as Health;
        assert.equal(health.status, 'degraded');
      });
    });
  }

  it('cannot end a box either, and says so within 2 s; when it is back, all is as before', async () => {
    await door.open();
    await door.mute();
    assert.deepEqual(await call(ada, 'POST', '/v1/box/stop'), { status: 503, code: 'engine-unavailable' });
    await door.open();
    assert.equal(await service.inBox(ada, 'echo', 'again'), 'again');
    assert.equal(await service.inBox(grace, 'echo', 'mine'), 'mine');
    const box = (await (await service.fetch(grace, '/v1/box')).json()) as Box;
    assert.equal(box.state, 'running');
  });
});
