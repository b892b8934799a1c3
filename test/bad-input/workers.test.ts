import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Value } from 'typebox/value';
import { eventually } from '../../boxd/testing/eventually.ts';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import type { Job, JobDetails } from '../../protocol/jobs.ts';
import { type AdminJobList, JobEnvironment, type WorkerToken } from '../../protocol/jobWorkers.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { formatToken, randomBase62 } from '../../protocol/tokenFormat.ts';
import { WorkerTokens } from '../../service/identity/workerTokens.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

/** What the worker of one job gets, and everything that it does not (row 107, without leases). */
describe('the worker of a job', { timeout: 300_000 }, () => {
  let server: GitServer;
  let side: TestHttpSide;
  let ada: string;
  let bo: string;
  const hold = 'while [ ! -e ~/go ]; do sleep 0.05; done';
  before(async () => {
    server = await GitServer.start();
    side = await TestHttpSide.start({ gitHosts: [server.host], maxConcurrentJobs: 3 });
    side.boxes.authorities = server.ca;
    [ada, bo] = await Promise.all([side.tokenOf('ada'), side.tokenOf('bo')]);
    server.repository('api');
    server.repository('dots', { 'install.sh': 'true\n' });
    for (const [as, branch] of [
      [ada, 'main'],
      [ada, 'other'],
      [bo, 'main'],
    ] as const) {
      await side.json('POST', '/v1/threads', as, { spoon: 'api', branch, url: server.url('api.git') });
    }
    const save = (path: string, bytes: Uint8Array, more = '') =>
      side.json('PUT', `/v1/dotfiles/content?path=${path}${more}`, ada, bytes);
    await save('.bashrc', Buffer.from('alias ll="ls -l"\n'));
    await save('.config/bin', Buffer.of(0, 0xff, 0x80));
    await side.json('PUT', '/v1/environment/repository', ada, {
      url: server.url('dots.git'),
      ref: 'main',
      setup: 'install.sh',
    });
  });
  after(async () => {
    await side[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const run = (as = ada, branch = 'main') =>
    side.json<Job>('POST', '/v1/jobs', as, { thread: `api/${branch}`, prompt: hold });
  const tokenFor = async (id: string) => {
    const { status, body } = await operatorCall(side.adminSocket, 'POST', `/v1/admin/jobs/${id}/worker-token`);
    assert.equal(status, 200, JSON.stringify(body));
    return body as unknown as WorkerToken;
  };
  const ask = async (id: string, token: string | undefined) => {
    const response = await side.call('GET', `/v1/jobs/${id}/environment`, token);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const cancel = async (id: string, as = ada) => {
    await side.json('POST', `/v1/jobs/${id}/cancel`, as);
    const state = async () => (await side.json<JobDetails>('GET', `/v1/jobs/${id}`, as)).job.state;
    await eventually('it has ended', async () => (await state()) === 'cancelled');
  };

  it('gets its user, the repository with its setup, and the overlay, until the job ends', async () => {
    const { id } = await run();
    const { token, job, expiresMs } = await tokenFor(id);
    assert.match(token, /^spn_w_/);
    assert.ok(job === id && expiresMs > Date.now());
    const { status, body } = await ask(id, token);
    assert.equal(status, 200);
    assert.ok(Value.Check(JobEnvironment, body), JSON.stringify(body));
    assert.deepEqual([body.job, body.username], [id, 'ada']);
    const { url, ref, setup, manager } = body.repository ?? assert.fail('no repository');
    assert.deepEqual([url, ref, setup, manager], [server.url('dots.git'), 'main', 'install.sh', null]);
    assert.deepEqual(
      body.overlay.entries.map(({ path, kind, mode, content }) => [path, kind, mode, content]),
      [
        ['.bashrc', 'file', 0o644, Buffer.from('alias ll="ls -l"\n').toString('base64')],
        ['.config/bin', 'file', 0o644, Buffer.of(0, 0xff, 0x80).toString('base64')],
      ],
    );
    assert.match(body.overlay.digest, /^[0-9a-f]{64}$/);
    await cancel(id);
    const late = await ask(id, token);
    assert.deepEqual([late.status, late.body.code], [410, 'job-ended']);
    assert.ok(!JSON.stringify(late.body).includes('alias'));
    await side.json('DELETE', `/v1/jobs/${id}`, ada);
    assert.equal((await ask(id, token)).status, 401, 'the token went with the job');
  });

  it('gets nothing of another job, also of the same user, and no other route at all', async () => {
    const own = await run();
    const other = await run(ada, 'other');
    const bos = await run(bo);
    const { token } = await tokenFor(own.id);
    const random = crypto.randomUUID();
    const answers = await Promise.all([other.id, bos.id, random].map((id) => ask(id, token)));
    for (const { status, body } of answers) assert.deepEqual([status, body.code], [404, 'not-found']);
    for (const route of Object.values(routes) as Route[]) {
      if (route.scope === 'public' || route.scope === 'ticket' || route.scope === 'worker:lease') continue;
      const path = route.path.replace(':id', own.id).replace(/:\w+/, 'ada');
      const body = route.method === 'GET' ? undefined : {};
      const response = await side.call(route.method, path, token, body);
      assert.equal(response.status, 403, `${route.method} ${path}`);
    }
    await Promise.all([cancel(own.id), cancel(other.id), cancel(bos.id, bo)]);
  });

  it('is nobody without a whole, living token of its own kind', async () => {
    const { id } = await run();
    const { token } = await tokenFor(id);
    const [, , tokenId = '', secret = ''] = token.split('_');
    const foreign = formatToken({
      kind: 'w',
      id: randomBase62(12, randomBytes),
      secret: randomBase62(43, randomBytes),
    });
    const wrongSecret = formatToken({ kind: 'w', id: tokenId, secret: randomBase62(43, randomBytes) });
    const asUser = formatToken({ kind: 'u', id: tokenId, secret });
    for (const bad of [undefined, 'spn_w_x', `${token.slice(0, -1)}#`, foreign, wrongSecret, asUser]) {
      assert.equal((await ask(id, bad)).status, 401, String(bad).slice(0, 8));
    }
    assert.equal((await ask(id, ada)).status, 403, 'not even the user');
    const { store, keyring } = side;
    const old = new WorkerTokens({ store, keyring, now: () => 0 });
    const expired = await ask(id, (await old.create(id, 1)).token);
    assert.deepEqual([expired.status, expired.body.code], [401, 'token-expired']);
    // Who can write the database cannot lead a token to another job, nor make it live longer.
    const second = await run(ada, 'other');
    await store.db.updateTable('worker_tokens').set({ job_id: second.id }).where('id', '=', tokenId).execute();
    assert.equal((await ask(second.id, token)).status, 401);
    await Promise.all([cancel(id), cancel(second.id)]);
  });

  it('is sent by an operator or admin alone, for jobs that wait or run, who see no contents', async () => {
    const { id } = await run();
    for (const as of [ada, bo, undefined]) {
      const { status } = await side.call('POST', `/v1/admin/jobs/${id}/worker-token`, as);
      assert.equal(status, as === undefined ? 401 : 403);
    }
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/jobs');
    const list = body as unknown as AdminJobList;
    assert.deepEqual(
      list.jobs.map((job) => [job.id, job.username, Object.keys(job).sort().join()]),
      [[id, 'ada', 'createdMs,id,startedMs,state,username']],
    );
    const audit = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit?limit=1000');
    const events = (audit.body.entries as { event: string; object: string | null }[]).filter(
      ({ object }) => object === id,
    );
    assert.deepEqual([...new Set(events.map(({ event }) => event))], ['job.run', 'worker-token.create']);
    await cancel(id);
    for (const gone of [id, crypto.randomUUID(), 'x'])
      assert.equal((await operatorCall(side.adminSocket, 'POST', `/v1/admin/jobs/${gone}/worker-token`)).status, 404);
  });

  it('ends with the account: disabling it cancels its jobs', async () => {
    const { id } = await run(bo);
    const { token } = await tokenFor(id);
    assert.equal((await ask(id, token)).status, 200);
    assert.equal((await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/bo/disable')).status, 200);
    assert.equal((await ask(id, token)).status, 410);
    const row = await side.store.db.selectFrom('jobs').select('state').where('id', '=', id).executeTakeFirstOrThrow();
    assert.equal(row.state, 'cancelled');
  });
});
