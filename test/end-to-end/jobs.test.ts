import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findDescendants } from '../../boxd/processes/processTable.ts';
import { eventually } from '../../boxd/testing/eventually.ts';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import type { Job, JobDetails, JobList, JobSearchResult } from '../../protocol/jobs.ts';
import type { CreatedThread } from '../../protocol/threads.ts';
import { TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { followJob } from '../fixtures/jobViewer.fixture.ts';

/**
 * From the network to an agent in a real boxd, with real git. No model can be reached here: the agent is a stand-in, a shell that
 * takes its prompt for a script. It is configured like any agent, by a command with placeholders.
 */
describe('jobs', { timeout: 300_000 }, () => {
  let server: GitServer;
  let side: TestHttpSide;
  let ada: string;
  let bo: string;
  before(async () => {
    server = await GitServer.start();
    side = await TestHttpSide.start({
      gitHosts: [server.host],
      jobCommand: ['sh', '-c', 'cd {dir} && eval "$1"', 'agent', '{prompt}'],
      maxConcurrentJobs: 2,
      jobTimeLimitMs: 120_000,
    });
    side.boxes.authorities = server.ca;
    [ada, bo] = await Promise.all([side.tokenOf('ada'), side.tokenOf('bo')]);
    server.repository('api', { 'README.md': 'hello\n', 'old.txt': 'old\n' });
    for (const branch of ['main', 'one', 'two', 'three']) await thread(branch);
    await thread('main', bo);
  });
  after(async () => {
    await side[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const home = () => side.boxes.homeOf('ada');
  const thread = (branch: string, as = ada) =>
    side.json<CreatedThread>('POST', '/v1/threads', as, { spoon: 'api', branch, url: server.url('api.git') });
  const run = (prompt: string, more: Record<string, unknown> = {}, as = ada) =>
    side.json<Job>('POST', '/v1/jobs', as, { thread: 'api/main', prompt, ...more });
  const read = (id: string, as = ada) => side.json<JobDetails>('GET', `/v1/jobs/${id}`, as);
  const text = async (path: string, as = ada) => (await side.call('GET', path, as)).text();
  const follow = (id: string) => followJob({ url: side.url, token: ada }, id);
  const refusal = async (method: string, path: string, body?: unknown, as = ada) => {
    const response = await side.call(method, path, as, body);
    return { status: response.status, code: ((await response.json()) as { code: string }).code };
  };
  const job = async (prompt: string, more: Record<string, unknown> = {}) => {
    const { id } = await run(prompt, more);
    const viewer = follow(id);
    await viewer.ended;
    return { id, output: viewer.text, job: viewer.jobs.at(-1) as Job };
  };

  it('run the agent in the thread, with its output in colours as it comes', async () => {
    const asked = await run(
      'pwd; echo second; test -t 1 && printf "\\033[32mgreen\\033[0m\\n"; read x || echo no input',
    );
    assert.deepEqual([asked.thread, asked.title, asked.exitCode], ['api/main', asked.title, null]);
    const viewer = follow(asked.id);
    const end = await viewer.ended;
    assert.equal(viewer.text, `${home()}/Code/api/main\r\nsecond\r\n\u001b[32mgreen\u001b[0m\r\nno input\r\n`);
    assert.deepEqual([end.state, end.exitCode, end.detail], ['succeeded', 0, null]);
    assert.ok(end.startedMs !== null && end.endedMs !== null && end.endedMs >= end.startedMs);
    assert.equal(end.outputBytes, Buffer.byteLength(viewer.text));
    assert.equal(await text(`/v1/jobs/${asked.id}/log`), viewer.text);
    assert.equal(
      await text(`/v1/jobs/${asked.id}/log?format=text`),
      `${home()}/Code/api/main\nsecond\ngreen\nno input\n`,
    );
    const { jobs } = await side.json<JobList>('GET', '/v1/jobs', ada);
    assert.deepEqual(jobs[0], end);
  });

  it('take a prompt for one argument, whatever it holds', async () => {
    const prompt = 'printf "%s|" {dir} \'$HOME `id` "; x\' --help\necho end';
    const { output, job: ended } = await job(prompt);
    assert.equal(output, '{dir}|$HOME `id` "; x|--help|end\r\n');
    assert.equal(ended.title, 'printf "%s|" {dir} \'$HOME `id` "; x\' --help');
    assert.equal((await read(ended.id)).prompt, prompt);
  });

  it('say what they changed: files, commits, a diff, and not what was changed before', async () => {
    const folder = join(home(), 'Code/api/main');
    writeFileSync(join(folder, 'mine.txt'), 'unsaved work of the person\n');
    const { id, job: ended } = await job(
      'echo more >> README.md; git -c user.name=a -c user.email=a@b commit -qam "Say more"; rm old.txt; printf "new\\n" > new.txt',
    );
    assert.equal(ended.state, 'succeeded');
    assert.deepEqual(ended.changes, { files: 3, insertions: 2, deletions: 1, commits: 1 });
    const { changes, notes } = await read(id);
    assert.deepEqual(notes, []);
    assert.deepEqual(changes?.files, [
      { path: 'README.md', insertions: 1, deletions: 0 },
      { path: 'new.txt', insertions: 1, deletions: 0 },
      { path: 'old.txt', insertions: 0, deletions: 1 },
    ]);
    assert.deepEqual(
      changes?.commits.map(({ subject }) => subject),
      ['Say more'],
    );
    const diff = await text(`/v1/jobs/${id}/diff`);
    assert.match(diff, /^diff --git a\/README\.md b\/README\.md\n/);
    assert.match(diff, /\n\+more\n/);
    assert.ok(!diff.includes('mine.txt'));
    assert.equal(Buffer.byteLength(diff), changes?.diffBytes);
    // Nothing of the looks is left: not in the index, not in the repository, not in the home.
    assert.ok(!existsSync(join(home(), '.spoon/jobs', id)));
    const status = await job('git status --porcelain');
    assert.equal(status.output, ' D old.txt\r\n?? mine.txt\r\n?? new.txt\r\n');
    assert.equal(await text(`/v1/jobs/${status.id}/diff`), '');
  });

  it('tell how they failed', async () => {
    const failed = (await job('echo no >&2; exit 3')).job;
    assert.deepEqual([failed.state, failed.exitCode, failed.detail], ['failed', 3, 'sh ended with exit code 3.']);
    const killed = (await job('kill -KILL $$')).job;
    assert.deepEqual([killed.state, killed.exitCode, killed.detail], ['failed', 137, 'SIGKILL ended it.']);
    const late = (await job('echo begun; sleep 600', { timeLimitMs: 1_000 })).job;
    assert.deepEqual([late.state, late.detail], ['timed-out', 'It ran longer than 1 s and was ended.']);
  });

  it('are cancelled with everything they started', async () => {
    const { id } = await run(
      'trap "" TERM HUP; setsid sleep 4711 & sleep 4712 & echo ready; while :; do sleep 1; done',
    );
    const viewer = follow(id);
    await viewer.saw('ready');
    assert.ok(findDescendants(-2, `SPOON_JOB_ID=${id}`).length >= 3);
    const cancelled = await side.json<Job>('POST', `/v1/jobs/${id}/cancel`, ada);
    assert.equal(cancelled.state, 'cancelling');
    const end = await viewer.ended;
    assert.deepEqual([end.state, end.detail], ['cancelled', null]);
    assert.deepEqual(findDescendants(-2, `SPOON_JOB_ID=${id}`), []);
    assert.equal((await side.json<Job>('POST', `/v1/jobs/${id}/cancel`, ada)).state, 'cancelled');
  });

  it('end what they left behind', async () => {
    const { id, job: ended } = await job('setsid sleep 4713 </dev/null >/dev/null 2>&1 & echo done');
    assert.equal(ended.state, 'succeeded');
    assert.deepEqual(findDescendants(-2, `SPOON_JOB_ID=${id}`), []);
  });

  it('wait for their turn: two at once, one in a checkout, another user’s before the third of one', async () => {
    const hold = (name: string) => `echo up; while [ ! -e ~/go-${name} ]; do sleep 0.05; done; rm ~/go-${name}`;
    const go = (name: string, user = 'ada') => writeFileSync(join(side.boxes.homeOf(user), `go-${name}`), '');
    const first = await run(hold('1'), { thread: 'api/one' });
    const same = await run(hold('2'), { thread: 'api/one' });
    const second = await run(hold('3'), { thread: 'api/two' });
    const third = await run(hold('4'), { thread: 'api/three' });
    const bos = await run(hold('5'), { thread: 'api/main' }, bo);
    const states = async () =>
      Promise.all([first, same, second, third].map(async ({ id }) => (await read(id)).job.state));
    await eventually('two run', async () => (await states()).filter((state) => state === 'running').length === 2);
    assert.deepEqual(await states(), ['running', 'queued', 'running', 'queued']);
    assert.deepEqual([(await read(third.id)).job.ahead, (await read(bos.id, bo)).job.ahead], [1, 2]);
    go('1');
    await eventually('bo is next', async () => (await read(bos.id, bo)).job.state === 'running');
    assert.deepEqual(await states(), ['succeeded', 'queued', 'running', 'queued']);
    const gone = await side.json<Job>('POST', `/v1/jobs/${third.id}/cancel`, ada);
    assert.deepEqual(
      [gone.state, gone.detail, gone.startedMs],
      ['cancelled', 'It was cancelled before its turn came.', null],
    );
    for (const name of ['2', '3']) go(name);
    go('5', 'bo');
    await eventually('all are over', async () =>
      (await states()).every((state) => state !== 'running' && state !== 'queued'),
    );
  });

  it('are run again as jobs of their own, found by what they were asked and printed, and forgotten', async () => {
    const { id } = await job('echo "a NEEDLE in it"; echo hay');
    const again = await side.json<Job>('POST', `/v1/jobs/${id}/retry`, ada);
    assert.equal(again.retryOf, id);
    await follow(again.id).ended;
    const { matches } = await side.json<JobSearchResult>('POST', '/v1/jobs/search', ada, { text: 'needle' });
    assert.deepEqual(
      matches.map(({ job: of, line }) => [of, line]),
      [
        [again.id, null],
        [again.id, 1],
        [id, null],
        [id, 1],
      ],
    );
    assert.equal(matches[1]?.text, 'a NEEDLE in it');
    await side.json('DELETE', `/v1/jobs/${id}`, ada);
    assert.deepEqual(await refusal('GET', `/v1/jobs/${id}`), { status: 404, code: 'not-found' });
    const { removed } = await side.json<{ removed: number }>('POST', '/v1/jobs/clear', ada);
    assert.ok(removed > 5);
    assert.deepEqual((await side.json<JobList>('GET', '/v1/jobs', ada)).jobs, []);
  });

  it('are nobody else’s', async () => {
    const { id } = await job('echo mine');
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/cancel'],
      ['POST', '/retry'],
      ['GET', '/log'],
      ['GET', '/diff'],
    ] as const) {
      assert.deepEqual(await refusal(method, `/v1/jobs/${id}${path}`, undefined, bo), {
        status: 404,
        code: 'not-found',
      });
    }
    const ticket = await refusal('POST', '/v1/tickets', { kind: 'job', id }, bo);
    assert.deepEqual(ticket, { status: 404, code: 'not-found' });
  });

  it('refuse what no agent can be asked', async () => {
    const asked = (body: unknown) => refusal('POST', '/v1/jobs', body);
    const prompt = 'echo';
    assert.deepEqual(await asked({ thread: 'api/nowhere', prompt }), { status: 404, code: 'thread-unknown' });
    for (const bad of ['', ' \n', 'a\0b', '\ud800', 'ä'.repeat(40_000)]) {
      assert.deepEqual(await asked({ thread: 'api/main', prompt: bad }), { status: 422, code: 'prompt-invalid' });
    }
    for (const body of [{ prompt }, { thread: 'api/main', prompt, timeLimitMs: 1 }, { thread: 1, prompt }]) {
      assert.equal((await asked(body)).status, 422);
    }
  });

  it('run on over a cut of the viewer, who gets what was missed', async () => {
    const { id } = await run('echo one; while [ ! -e ~/go-on ]; do sleep 0.05; done; rm ~/go-on; echo two');
    const viewer = follow(id);
    await viewer.saw('one');
    viewer.cut();
    writeFileSync(join(home(), 'go-on'), '');
    await viewer.ended;
    assert.equal(viewer.text, 'one\r\ntwo\r\n');
  });

  it('keep their thread from being deleted under them', async () => {
    const made = await thread('doomed');
    const { id } = await run('echo up; sleep 600', { thread: 'api/doomed' });
    const viewer = follow(id);
    await viewer.saw('up');
    const path = `/v1/threads/${made.thread.id}`;
    assert.deepEqual(await refusal('DELETE', path), { status: 409, code: 'thread-in-use' });
    await side.json('POST', `/v1/jobs/${id}/cancel`, ada);
    await viewer.ended;
    assert.equal((await side.call('DELETE', path, ada)).status, 204);
    assert.equal((await read(id)).job.thread, 'api/doomed');
    assert.deepEqual(await refusal('POST', `/v1/jobs/${id}/retry`), { status: 404, code: 'thread-unknown' });
  });

  it('are lost with their box, and say so', async () => {
    const { id } = await run('echo up; sleep 600');
    const viewer = follow(id);
    await viewer.saw('up');
    await side.boxes.stop((await side.users.byName('ada'))?.id ?? '');
    const end = await viewer.ended;
    assert.equal(end.state, 'lost');
    assert.match(end.detail ?? '', /^The box ended while it ran\./);
    assert.equal(await text(`/v1/jobs/${id}/log`), 'up\r\n');
    assert.ok(readFileSync(join(home(), 'Code/api/main/README.md')).length > 0);
  });
});
