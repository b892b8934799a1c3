import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../boxd/testing/eventually.ts';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { residentBytes } from '../../boxd/testing/processFacts.ts';
import type { Box } from '../../protocol/boxes.ts';
import type { Job, JobDetails } from '../../protocol/jobs.ts';
import { followJob } from '../fixtures/jobViewer.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const mebi = 1024 * 1024;

/** The real service process and a box of its own. No model can be reached here: the agent is a shell that runs its prompt. */
describe('jobs and what befalls the service', { timeout: 600_000 }, () => {
  let server: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    server = await GitServer.start();
    const caFile = join(server.folder, 'authorities.pem');
    await writeFile(caFile, server.ca);
    const environment = {
      SPOON_GIT_HOSTS: server.host,
      SPOON_CA_FILE: caFile,
      SPOON_AGENT_COMMAND: 'sh -c {prompt}',
    };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
    server.repository('api', { 'README.md': 'hello\n' });
    const made = await service.spoonctl(ada, ['threads', 'new', 'api', 'main', '--url', server.url('api.git')]);
    assert.equal(made.code, 0, made.stderr);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await service.fetch(ada, path, { method, ...init });
    assert.ok(response.ok, await response.clone().text());
    return (await response.json()) as T;
  };
  const run = (prompt: string) => call<Job>('POST', '/v1/jobs', { thread: 'api/main', prompt });
  const read = async (id: string) => (await call<JobDetails>('GET', `/v1/jobs/${id}`)).job;
  const follow = (id: string, options = {}) => followJob({ url: service.url, token: ada.token }, id, options);

  it('goes on in the box while the service is dead, and nothing of it is missed', async () => {
    const { id } = await run(
      'echo before; while [ ! -e ~/go ]; do sleep 0.05; done; rm ~/go; echo while away; echo x > made.txt',
    );
    const waits = await run('echo after');
    const viewer = follow(id);
    await viewer.saw('before');
    const { holders } = await call<Box>('GET', '/v1/box');
    assert.ok(
      holders.some(({ kind, label }) => kind === 'job' && label === 'api/main'),
      JSON.stringify(holders),
    );
    const { token } = await service.admin<{ token: string }>('POST', '/v1/admin/tokens', { name: 'ops' });
    const listed = await service.spoonctl({ username: 'ops', token }, ['admin', 'jobs', 'list']);
    assert.match(listed.stdout, new RegExp(`\\n${id} +ada +running .*\\n${waits.id} +ada +queued `));
    const made = await service.spoonctl({ username: 'ops', token }, ['admin', 'jobs', 'worker-token', id]);
    assert.match(made.stdout, /^spn_w_\w+\n$/, made.stderr);
    await service.kill('SIGKILL');
    await service.launch();
    assert.deepEqual([(await read(id)).state, (await read(waits.id)).state], ['running', 'queued']);
    await service.kill('SIGKILL');
    // The box is a process of this machine; what it waits for is made beside the service.
    await writeFile(join(service.workdir, 'homes', 'ada', 'go'), '');
    await service.launch();
    const end = await viewer.ended;
    assert.deepEqual([end.state, end.changes?.files], ['succeeded', 1]);
    assert.equal(viewer.text, 'before\r\nwhile away\r\n');
    assert.equal((await follow(waits.id).ended).state, 'succeeded');
  });

  it('cannot be found again where the box is gone, and says so', async () => {
    const { id } = await run('echo up; sleep 600');
    const viewer = follow(id);
    await viewer.saw('up');
    await service.kill('SIGKILL');
    process.kill(boxdPid(service.workdir), 'SIGKILL');
    await service.launch();
    const end = await viewer.ended;
    assert.equal(end.state, 'lost');
    assert.match(end.detail ?? '', /The box ended while it ran\./);
  });

  it('prints 100 MB with flat memory; a frozen viewer holds up neither the agent nor another viewer', async (test) => {
    const lines = (bytes: number) => `head -c ${bytes} /dev/zero | base64 -w 99; echo the end`;
    // What a first flood makes a process take, it keeps: a longer one must not add to that.
    const first = follow((await run(lines(20_000_000))).id, { keepsText: false });
    assert.equal((await first.ended).state, 'succeeded');
    const { id } = await run(`while [ ! -e ~/go ]; do sleep 0.05; done; rm ~/go; ${lines(75_000_000)}`);
    const [quick, frozen] = [follow(id, { keepsText: false }), follow(id, { acknowledges: false, keepsText: false })];
    await eventually('it runs', async () => (await read(id)).state === 'running');
    const [servicePid, boxPid] = [service.pid, boxdPid(service.workdir)];
    const before = residentBytes(servicePid);
    const boxBefore = residentBytes(boxPid);
    let most = 0;
    let boxMost = 0;
    const watch = setInterval(() => {
      most = Math.max(most, residentBytes(servicePid));
      boxMost = Math.max(boxMost, residentBytes(boxPid));
    }, 50);
    await writeFile(join(service.workdir, 'homes', 'ada', 'go'), '');
    const end = await quick.ended;
    clearInterval(watch);
    assert.equal(end.state, 'succeeded', end.detail ?? '');
    assert.ok(end.outputBytes > 100_000_000, String(end.outputBytes));
    assert.equal(quick.bytes + quick.omitted, end.outputBytes);
    assert.ok(frozen.bytes <= 512 * 1024, `${frozen.bytes} without a word of it`);
    frozen.close();
    assert.ok(most - before < 64 * mebi, `the service grew by ${(most - before) / mebi} MiB`);
    assert.ok(boxMost - boxBefore < 64 * mebi, `boxd grew by ${(boxMost - boxBefore) / mebi} MiB`);
    const kept = await (await service.fetch(ada, `/v1/jobs/${id}/log`)).arrayBuffer();
    assert.ok(kept.byteLength > 3 * mebi && kept.byteLength < 5 * mebi, String(kept.byteLength));
    const text = Buffer.from(kept).toString('latin1');
    assert.match(text, /^A{99}\r\n/);
    assert.match(text, /bytes omitted/);
    assert.match(text, /the end\r\n$/);
    const inMebi = (bytes: number) => `${Math.round(bytes / mebi)} MiB`;
    const grown = `the service ${inMebi(most - before)}, boxd ${inMebi(boxMost - boxBefore)}`;
    test.diagnostic(`grown: ${grown}; the quick viewer got ${inMebi(quick.bytes)} of ${inMebi(end.outputBytes)}`);
  });
});

/** The first process of the one box of a service: boxd, as this machine numbers it. */
function boxdPid(workdir: string): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isFirst = /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      if (isFirst && readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(workdir)) return Number(pid);
    } catch (error) {
      // Ended between the listing and the look at it.
      assert.match((error as NodeJS.ErrnoException).code ?? '', /ENOENT|ESRCH/);
    }
  }
  assert.fail('there is no box');
}
