import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import type { DotfileHistory, SaveResult } from '../../protocol/dotfiles.ts';
import type { JobList } from '../../protocol/jobs.ts';
import type { ThreadList } from '../../protocol/threads.ts';
import { RunningService, type TestUser } from '../runningService.ts';

/** The day on which the disk is lost, from a backup that was made while people worked. */
describe('the restore drill', { timeout: 300_000 }, () => {
  let server: GitServer;
  let service: RunningService;
  let [ada, bo]: TestUser[] = [];
  let file: string;
  before(async () => {
    server = await GitServer.start();
    const caFile = join(server.folder, 'authorities.pem');
    await writeFile(caFile, server.ca);
    service = await RunningService.start({
      engine: 'process',
      environment: { SPOON_GIT_HOSTS: server.host, SPOON_CA_FILE: caFile, SPOON_AGENT_COMMAND: 'sh -c {prompt}' },
    });
    file = join(dirname(service.workdir), 'today.backup');
    ada = await service.addUser('Ada');
    bo = await service.addUser('Bo');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const as = (user: TestUser | undefined): TestUser => user ?? assert.fail();
  async function spoonctl(user: TestUser | undefined, args: string[], stdin?: string | Uint8Array): Promise<string> {
    const { code, stdout, stderr } = await service.spoonctl(as(user), args, stdin);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const contentOf = async (user: TestUser | undefined, path: string) =>
    Buffer.from(await (await service.fetch(as(user), `/v1/dotfiles/content?path=${path}`)).arrayBuffer());

  const json = async <T>(user: TestUser | undefined, path: string) =>
    (await (await service.fetch(as(user), path)).json()) as T;
  const etags = new Map<string, string>();
  async function save(
    user: TestUser | undefined,
    path: string,
    content: string | Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const name = `${user?.username}/${path}`;
    const headers = { 'content-type': 'application/octet-stream', 'if-match': etags.get(name) ?? '' };
    if (headers['if-match'] === '') Reflect.deleteProperty(headers, 'if-match');
    const init = { method: 'PUT', headers, body: content };
    const answer = await service.fetch(as(user), `/v1/dotfiles/content?path=${path}`, init);
    const { dotfile } = (await answer.json()) as SaveResult;
    etags.set(name, dotfile.etag);
  }

  it('brings everything back as it was at one moment', async () => {
    const large = randomBytes(4_000_000);
    await save(ada, '.large', large);
    for (const text of ['first', 'second', 'third']) await save(ada, '.bashrc', text);
    await save(bo, '.profile', 'bo’s own');
    await spoonctl(ada, ['secrets', 'set', 'API_KEY'], 'ada’s value');
    await spoonctl(bo, ['secrets', 'set', 'API_KEY', '--scope', 'shells,jobs'], 'bo’s value');
    server.repository('api', { 'README.md': 'hello\n' });
    await spoonctl(ada, ['threads', 'new', 'api', 'main', '--url', server.url('api.git')]);
    await spoonctl(ada, ['jobs', 'run', 'api/main', '--follow', 'echo worked']);

    // Somebody saves two files in turn, all the while: a state between them is one that there was.
    let saved = 0;
    let isDone = false;
    const saving = (async () => {
      for (; !isDone || saved < 3; saved++) {
        await save(bo, '.first', String(saved));
        await save(bo, '.second', String(saved));
      }
    })();
    const made = await service.asOperator(['backup', 'create', file, '--json']);
    isDone = true;
    await saving;
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.ok(!(await readdir(dirname(file))).some((name) => name.endsWith('.tmp')));
    const again = await service.asOperator(['backup', 'create', file]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /exists\. A backup never replaces a file/);

    const verified = await service.asOperator(['backup', 'verify', file]);
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    assert.match(verified.stdout, /Opened +\d+ values, 0 do not open/);
    const unopened = await service.asOperator(['backup', 'verify', file], { SPOON_ENCRYPTION_KEY: '' });
    assert.match(unopened.stdout, /nothing: no root key was given/, unopened.stderr);
    const early = await service.asOperator(['backup', 'restore', file]);
    assert.deepEqual([early.code, /There is .*spoon\.db/.test(early.stderr)], [73, true], early.stderr);

    await service.admin('POST', '/v1/admin/boxes/ada/stop');
    await service.kill('SIGKILL');
    await rm(service.workdir, { recursive: true });
    const wrong = { SPOON_ENCRYPTION_KEY: randomBytes(32).toString('hex') };
    const refused = await service.asOperator(['backup', 'restore', file], wrong);
    assert.equal(refused.code, 78, refused.stderr);
    assert.ok(!(await readdir(service.workdir)).some((name) => name.startsWith('spoon.db')));
    const restored = await service.asOperator(['backup', 'restore', file]);
    assert.equal(restored.code, 0, restored.stderr);
    await service.launch();

    // With the tokens that they had.
    assert.deepEqual(await contentOf(ada, '.large'), large);
    assert.equal((await contentOf(ada, '.bashrc')).toString(), 'third');
    const history = await json<DotfileHistory>(ada, '/v1/dotfiles/history?path=.bashrc');
    assert.equal(history.versions.length, 3);
    assert.equal((await contentOf(ada, '.bashrc&version=1')).toString(), 'first');
    assert.equal((await contentOf(bo, '.profile')).toString(), 'bo’s own');
    const [first, second] = [await contentOf(bo, '.first'), await contentOf(bo, '.second')].map(Number);
    assert.ok(first === second || first === (second ?? 0) + 1 || Number.isNaN(first), `${first} ${second}`);
    assert.equal(await service.inBox(as(ada), 'sh', '-c', 'echo "$API_KEY"; cat ~/.bashrc'), 'ada’s value\nthird');
    assert.equal(await service.inBox(as(bo), 'sh', '-c', 'echo "$API_KEY"'), 'bo’s value');
    const { threads } = await json<ThreadList>(ada, '/v1/threads');
    assert.deepEqual(
      threads.map(({ spoon, branch }) => `${spoon}/${branch}`),
      ['api/main'],
    );
    const { jobs } = await json<JobList>(ada, '/v1/jobs');
    assert.deepEqual(
      jobs.map(({ state }) => state),
      ['succeeded'],
    );
    const log = await service.fetch(as(ada), `/v1/jobs/${jobs[0]?.id}/log`);
    assert.match(await log.text(), /worked/);
    assert.equal((await service.asOperator(['admin', 'audit', 'verify'])).code, 0);
  });
});
