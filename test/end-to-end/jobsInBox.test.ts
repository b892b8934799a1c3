import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { defaultAgentCommand, fillAgentCommand, parseAgentCommand } from '../../protocol/agentCommand.ts';
import { isEndedJobState, type Job, type JobDetails, type JobList } from '../../protocol/jobs.ts';
import { boxGitHost, makeBoxCertificate, serveInBox } from '../fixtures/boxGitServer.fixture.ts';
import { followJob } from '../fixtures/jobViewer.fixture.ts';
import { ownContainers, sharedDocker } from '../fixtures/ownContainers.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const value = 'canary-docker-job-77aa';
const prompt = 'CANARY_PROMPT="made up"; echo "key: $DOCKER_JOB_KEY"; echo "$DOCKER_JOB_KEY" > key.txt; id -un; pwd';

/**
 * On real Docker, in the real image. No model can be reached here, so runs use a stand-in: a shell that takes its prompt for a
 * script, configured as any agent is. The real codex is started as far as that goes without one.
 */
describe('jobs in a box on Docker', { timeout: 600_000 }, () => {
  let certificate: Awaited<ReturnType<typeof makeBoxCertificate>>;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    certificate = await makeBoxCertificate();
    service = await RunningService.start({
      engine: 'docker',
      environment: {
        SPOON_GIT_HOSTS: boxGitHost,
        SPOON_CA_FILE: certificate.caFile,
        SPOON_AGENT_COMMAND: 'sh -c {prompt}',
      },
    });
    ada = await service.addUser('Ada');
    const url = await serveInBox(service, ada, certificate);
    const made = await service.spoonctl(ada, ['threads', 'new', 'api', 'main', '--url', url]);
    assert.equal(made.code, 0, made.stderr);
    const set = await service.spoonctl(ada, ['secrets', 'set', 'DOCKER_JOB_KEY', '--scope', 'jobs'], `${value}\n`);
    assert.equal(set.code, 0, set.stderr);
  });
  // One that a failed test has left would keep the next in the queue.
  afterEach(async () => {
    const { jobs } = await call<JobList>('GET', '/v1/jobs');
    for (const { id, state } of jobs) if (!isEndedJobState(state)) await call('POST', `/v1/jobs/${id}/cancel`);
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await certificate[Symbol.asyncDispose]();
  });

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await service.fetch(ada, path, { method, ...init });
    assert.ok(response.ok, await response.clone().text());
    return (await response.json()) as T;
  };
  const run = (text: string) => call<Job>('POST', '/v1/jobs', { thread: 'api/main', prompt: text });
  const follow = (id: string) => followJob({ url: service.url, token: ada.token }, id);

  it('run as the user in the thread’s folder, and their secrets are in nothing that anybody could look at', async () => {
    const { id } = await run(`${prompt}; while [ ! -e ~/go ]; do sleep 0.05; done; rm ~/go`);
    const viewer = follow(id);
    await viewer.saw('Code/api/main');
    assert.equal(viewer.text, 'key: ***\r\nada\r\n/home/ada/Code/api/main\r\n');

    const inspected: string[] = [];
    for (const container of await ownContainers(service)) {
      const facts = await container.inspect();
      inspected.push(JSON.stringify(facts));
      for (const exec of facts.ExecIDs ?? []) {
        const ended = (error: { statusCode?: number }): string => {
          if (error.statusCode !== 404) throw error;
          return '';
        };
        inspected.push(await sharedDocker().getExec(exec).inspect().then(JSON.stringify, ended));
      }
    }
    assert.ok(
      inspected.some((text) => text.includes('/home/ada')),
      'the box is among them',
    );
    const argv: string[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      argv.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
    }
    assert.ok(
      argv.some((text) => text.includes('CANARY_PROMPT')),
      'the job is among them',
    );
    assert.ok(!inspected.join('').includes(value));
    assert.ok(!argv.join('').includes(value));

    await service.inBox(ada, 'touch', 'go');
    const end = await viewer.ended;
    assert.deepEqual([end.state, end.changes], ['succeeded', { files: 1, insertions: 1, deletions: 0, commits: 0 }]);
    const diff = await (await service.fetch(ada, `/v1/jobs/${id}/diff`)).text();
    assert.match(diff, /^\+\*\*\*$/m);
    // A dead service says nothing of it either.
    await service.kill('SIGABRT');
    for (const file of await filesOf(service.workdir)) {
      const bytes = await readFile(file);
      assert.ok(!bytes.includes(value), file);
      assert.ok(!bytes.includes('CANARY_PROMPT'), file);
      assert.ok(!bytes.includes('DOCKER_JOB_KEY'), file);
    }
    assert.ok(!service.log.includes(value) && !service.log.includes('CANARY_PROMPT'));
    await service.launch();
  });

  it('are read again after their box is gone', async () => {
    const { id } = await run('echo kept; echo x > other.txt');
    assert.equal((await follow(id).ended).state, 'succeeded');
    await call('POST', '/v1/box/stop');
    assert.equal(await (await service.fetch(ada, `/v1/jobs/${id}/log?format=text`)).text(), 'kept\n');
    assert.match(await (await service.fetch(ada, `/v1/jobs/${id}/diff`)).text(), /other\.txt/);
    const { changes } = await call<JobDetails>('GET', `/v1/jobs/${id}`);
    assert.deepEqual(
      changes?.files.map(({ path }) => path),
      ['other.txt'],
    );
  });

  it('start the box for themselves, and say when its image has no such agent', async () => {
    await call('POST', '/v1/box/stop');
    const { id } = await run('no-such-program-here');
    const end = await follow(id).ended;
    assert.deepEqual([end.state, end.exitCode], ['failed', 127]);
  });

  it('find the real codex in the image, which takes the default command as it is meant', async () => {
    assert.match(await service.inBox(ada, 'codex', '--version'), /^codex-cli \d+\.\d+\.\d+/);
    const values = { dir: '/home/ada/Code/api/main', prompt: 'review', spoon: 'api', branch: 'main', job: 'j' };
    const command = fillAgentCommand(parseAgentCommand(defaultAgentCommand), values);
    // Without credentials and network it gets as far as asking for them.
    const script = `
      said=$(mktemp); timeout 90 "$@" </dev/null >"$said" 2>&1 & codex=$!
      until grep -q '^review$' "$said" || ! kill -0 $codex 2>/dev/null; do sleep 0.1; done
      kill $codex 2>/dev/null; cat "$said"; rm "$said"`;
    const said = await service.inBox(ada, 'sh', '-c', script, 'sh', ...command);
    assert.match(said, /workdir: \/home\/ada\/Code\/api\/main\n/);
    assert.match(said, /sandbox: danger-full-access\n/);
    assert.match(said, /\nuser\nreview(\n|$)/, 'a prompt, and no subcommand');
  });

  it('are sandboxed by the box: codex’s own sandbox cannot start in one, and without it its commands run', async () => {
    const own = await service.inBox(ada, 'sh', '-c', 'codex sandbox -- echo inside </dev/null 2>&1; true');
    assert.match(own, /No permissions to create a new namespace/);
    const without = [
      '-c',
      'sandbox_mode=danger-full-access',
      '--',
      'sh',
      '-c',
      'id -un; grep CapEff /proc/self/status',
    ];
    assert.equal(await service.inBox(ada, 'codex', 'sandbox', ...without), 'ada\nCapEff:\t0000000000000000');
  });
});

/** Everything that the service keeps, without the homes, which are their users'. */
async function filesOf(workdir: string): Promise<string[]> {
  const entries = await readdir(workdir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.startsWith(join(workdir, 'homes')) && !file.startsWith(join(workdir, 'boxd')));
  assert.ok(files.some((file) => file.endsWith('spoon.db-wal')));
  return files;
}
