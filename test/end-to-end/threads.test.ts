import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer, git } from '../../boxd/testing/gitServer.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { CreatedThread, Spoon, Thread, ThreadLosses, UpdatedThread } from '../../protocol/threads.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../fixtures/spoonctl.fixture.ts';

/** From the network to git: a real service side, a real boxd, a git server over TLS. */
describe('threads', { timeout: 300_000 }, () => {
  let server: GitServer;
  let side: TestHttpSide;
  let machine: PersonsMachine;
  let token: string;
  let bo: string;
  before(async () => {
    server = await GitServer.start();
    side = await TestHttpSide.start({ gitHosts: [server.host] });
    side.boxes.authorities = server.ca;
    const tokenOf = async (username: string) =>
      String(
        (await operatorCall(side.adminSocket, 'POST', `/v1/admin/users/${username}/tokens`, { name: 'test' })).body
          .token,
      );
    [token, bo] = await Promise.all([tokenOf('ada'), tokenOf('bo')]);
    machine = await PersonsMachine.create();
    machine.env = { SPOON_URL: side.url, SPOON_TOKEN: token };
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await side[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const home = () => side.boxes.homeOf('ada');
  const inThread = (name: string, ...args: string[]) => git(join(home(), 'Code', name), ...args);
  const spoonctl = async (...args: string[]) => {
    const { code, stdout, stderr } = await machine.run(args);
    return { code, stdout: stdout.toString(), stderr };
  };
  const create = (spoon: string, branch: string, more: Record<string, string> = {}) =>
    side.json<CreatedThread>('POST', '/v1/threads', token, { spoon, branch, url: server.url(`${spoon}.git`), ...more });
  const refusal = async (method: string, path: string, body?: unknown, as = token) => {
    const response = await side.call(method, path, as, body);
    const { code, detail = '' } = (await response.json()) as { code: string; detail?: string };
    return { status: response.status, code, detail };
  };

  it('are made, listed, worked in and deleted by spoonctl', async () => {
    server.repository('cli', { 'README.md': 'hello' });
    const made = await spoonctl('threads', 'new', 'cli', 'main', '--url', server.url('cli.git'));
    assert.equal(made.code, 0, made.stderr);
    assert.equal(made.stdout, 'Your box was started.\n~/Code/cli/main\n');
    assert.match((await spoonctl('threads', 'ls')).stdout, /^THREAD +STATE +LAST USED\ncli\/main +clean +\d/);
    const ran = await spoonctl('exec', '--thread', 'cli/main', '--', 'cat', 'README.md');
    assert.deepEqual([ran.code, ran.stdout], [0, 'hello']);

    await spoonctl('exec', '--thread', 'cli/main', '--', 'sh', '-c', 'echo mine > new.txt');
    assert.match((await spoonctl('threads', 'ls')).stdout, /cli\/main +1 changed/);
    const refused = await spoonctl('threads', 'rm', 'cli/main');
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /1 files? with unsaved changes: new\.txt/);
    assert.ok(existsSync(join(home(), 'Code/cli/main/new.txt')));
    assert.equal((await spoonctl('spoons', 'rm', 'cli')).code, 5);
    assert.equal((await spoonctl('threads', 'rm', 'cli/main', '--yes')).code, 0);
    assert.ok(!existsSync(join(home(), 'Code/cli')));
    assert.equal((await spoonctl('spoons', 'rm', 'cli')).code, 0);
    const { threads } = JSON.parse((await spoonctl('threads', 'ls', '--json')).stdout) as { threads: unknown[] };
    assert.deepEqual(threads, []);
  });

  it('say who they are in terminals, which start in their folder', async () => {
    server.repository('term');
    await create('term', 'main');
    const opened = await side.json<{ terminal: { id: string; cwd: string } }>('POST', '/v1/terminals', token, {
      thread: 'term/main',
    });
    assert.equal(opened.terminal.cwd, join(home(), 'Code/term/main'));
    const { terminals } = await side.json<{ terminals: { id: string; thread?: string }[] }>(
      'GET',
      '/v1/terminals',
      token,
    );
    assert.equal(terminals.find(({ id }) => id === opened.terminal.id)?.thread, 'term/main');
    await side.json('DELETE', `/v1/terminals/${opened.terminal.id}`, token);
    assert.equal((await refusal('POST', '/v1/terminals', { thread: 'term/none' })).code, 'thread-unknown');
    assert.equal((await refusal('POST', '/v1/terminals', { thread: 'term/main', cwd: 'x' })).code, 'request-invalid');
    assert.equal((await refusal('POST', '/v1/terminals', { thread: 'term/main' }, bo)).code, 'thread-unknown');
  });

  it('whose folder was deleted by hand are checked out again by the next terminal', async () => {
    server.repository('again');
    await create('again', 'main');
    rmSync(join(home(), 'Code/again'), { recursive: true });
    const ran = await spoonctl('exec', '--thread', 'again/main', '--', 'ls');
    assert.deepEqual([ran.code, ran.stdout], [0, 'README.md\n']);
  });

  it('tell their state, and update without touching local work', async () => {
    const work = server.repository('state');
    const { thread } = await create('state', 'main');
    const read = async () => (await side.json<Thread>('GET', `/v1/threads/${thread.id}`, token)).status;
    const update = async () =>
      (await side.json<UpdatedThread>('POST', `/v1/threads/${thread.id}/update`, token)).update;
    const push = (file: string, text: string) => {
      server.commit(work, { [file]: text }, file);
      git(work, 'push', '-q', 'origin', 'main');
    };

    assert.deepEqual(await update(), { result: 'up-to-date', commits: 0 });
    push('a.txt', 'a');
    assert.deepEqual(await update(), { result: 'fast-forwarded', commits: 1 });
    assert.ok(existsSync(join(home(), 'Code/state/main/a.txt')));

    writeFileSync(join(home(), 'Code/state/main/b.txt'), 'mine');
    push('b.txt', 'theirs');
    const blocked = await update();
    assert.equal(blocked.result, 'blocked');
    assert.match(String(blocked.detail), /b\.txt/);
    assert.equal(readFileSync(join(home(), 'Code/state/main/b.txt'), 'utf8'), 'mine');

    inThread('state/main', 'add', 'b.txt');
    inThread('state/main', 'commit', '-qm', 'mine');
    assert.equal((await update()).result, 'diverged');
    writeFileSync(join(home(), 'Code/state/main/a.txt'), 'changed');
    inThread('state/main', 'stash', '-q');
    writeFileSync(join(home(), 'Code/state/main/c.txt'), 'new');
    const { checkedMs: _, ...status } = (await read()) ?? assert.fail();
    assert.deepEqual(status, {
      state: 'ready',
      branch: 'main',
      dirty: 1,
      dirtyMore: false,
      ahead: 1,
      behind: 1,
      unpushed: 1,
      unpushedMore: false,
      stashes: 1,
    });
  });

  it('are deleted with work only by who was told what would be lost', async () => {
    server.repository('loss', { '.gitignore': '.env\n' });
    const { thread } = await create('loss', 'topic');
    const folder = join(home(), 'Code/loss/topic');
    writeFileSync(join(folder, 'done.txt'), 'x');
    inThread('loss/topic', 'add', '.');
    inThread('loss/topic', 'commit', '-qm', 'nowhere else');
    writeFileSync(join(folder, '.env'), 'SECRET=1');
    writeFileSync(join(folder, 'half.txt'), 'x');
    const path = `/v1/threads/${thread.id}`;
    const first = await refusal('DELETE', path);
    assert.deepEqual([first.status, first.code], [409, 'work-would-be-lost']);
    assert.match(first.detail, /1 commit that is nowhere else, 1 file with unsaved changes, 1 ignored/);

    const { losses } = await side.json<ThreadLosses>('GET', `${path}/losses`, token);
    assert.match(losses.unpushed.join(), /^[0-9a-f]{7,} nowhere else$/);
    assert.deepEqual([losses.unsaved, losses.ignored], [['half.txt'], ['.env']]);
    writeFileSync(join(folder, 'since.txt'), 'x');
    const stale = await refusal('DELETE', `${path}?confirm=${losses.confirm}`);
    assert.equal(stale.code, 'work-would-be-lost');
    assert.match(stale.detail, /changed since you looked/);
    assert.ok(existsSync(folder));

    const now = await side.json<ThreadLosses>('GET', `${path}/losses`, token);
    await side.json('DELETE', `${path}?confirm=${now.losses.confirm}`, token);
    assert.ok(!existsSync(folder));
    assert.equal((await refusal('GET', path)).code, 'not-found');
  });

  it('report progress, and a cancelled one leaves nothing, not even its spoon', async () => {
    server.handle('stuck.git', () => undefined);
    const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'events' });
    const socket = side.socket('/v1/events', ticket);
    const events: SpoonEvent[] = [];
    const connecting = Promise.withResolvers<void>();
    socket.on('message', (data) => {
      const event = JSON.parse(String(data)) as SpoonEvent;
      events.push(event);
      if (event.type === 'thread.progress') connecting.resolve();
    });
    await once(socket, 'open');
    const child = spawn(
      process.execPath,
      [spoonctlFile, 'threads', 'new', 'stuck', 'main', '--url', server.url('stuck.git')],
      {
        env: machine.fullEnv,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    await connecting.promise;
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, 2);
    const progress = events.find((event) => event.type === 'thread.progress');
    assert.deepEqual([progress?.spoon, progress?.branch, progress?.progress.phase], ['stuck', 'main', 'connecting']);
    await gone(() => readdirSync('/proc').some((pid) => isGitIn(pid, home())));
    await gone(() => existsSync(join(home(), 'Code/stuck')));
    const { spoons } = await side.json<{ spoons: Spoon[] }>('GET', '/v1/spoons', token);
    assert.ok(!spoons.some(({ name }) => name === 'stuck'));
    socket.terminate();
  });

  it('are refused with a stable code, and leave nothing', async () => {
    server.repository('codes');
    await create('codes', 'main');
    const url = server.url('codes.git');
    const cases: [body: Record<string, string>, status: number, code: string][] = [
      [{ spoon: 'codes', branch: 'main' }, 409, 'thread-exists'],
      [{ spoon: 'codes', branch: 'main', url: server.url('other.git') }, 409, 'spoon-exists'],
      [{ spoon: 'unheard', branch: 'main' }, 404, 'spoon-unknown'],
      [{ spoon: 'codes', branch: 'no', start: 'existing' }, 409, 'branch-missing'],
      [{ spoon: 'fresh', branch: 'main', url, start: 'new' }, 409, 'branch-exists'],
      [{ spoon: 'lost', branch: 'main', url: server.url('nowhere.git') }, 409, 'repository-private'],
      [{ spoon: '../x', branch: 'main', url }, 422, 'spoon-name-invalid'],
      [{ spoon: 'x', branch: 'main', url: 'https://10.0.0.1/x' }, 422, 'url-host'],
      ...['--upload-pack=x', 'a..b', '@{-1}', 'a b', 'x.lock', 'x'.repeat(300), 'HEAD', 'refs/../..'].map(
        (branch): [Record<string, string>, number, string] => [{ spoon: 'x', branch, url }, 422, 'branch-invalid'],
      ),
    ];
    for (const [body, status, code] of cases) {
      const problem = await refusal('POST', '/v1/threads', body);
      assert.deepEqual([problem.status, problem.code], [status, code], JSON.stringify(body));
    }
    const { spoons } = await side.json<{ spoons: Spoon[] }>('GET', '/v1/spoons', token);
    assert.deepEqual(
      spoons.filter(({ name }) => ['fresh', 'lost', 'x'].includes(name)),
      [],
    );
    assert.ok(!/codes\.git|nowhere/.test(side.logLines.join('')));
  });

  it('of another user are as absent as random ones', async () => {
    const { threads } = await side.json<{ threads: Thread[] }>('GET', '/v1/threads', token);
    const [mine] = threads;
    assert.ok(mine);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/update'],
      ['POST', '/checkout'],
      ['GET', '/losses'],
    ] as const) {
      const problem = await refusal(method, `/v1/threads/${mine.id}${path}`, undefined, bo);
      assert.deepEqual(problem, await refusal(method, `/v1/threads/${'x'.repeat(22)}${path}`, undefined, bo));
      assert.equal(problem.code, 'not-found');
    }
    assert.equal((await refusal('GET', `/v1/spoons/${mine.spoonId}/branches`, undefined, bo)).code, 'not-found');
  });

  it('know the branches of their repository', async () => {
    const work = server.repository('many');
    git(work, 'push', '-q', 'origin', 'main:feat/a', 'main:zoo');
    await side.json('POST', '/v1/spoons', token, { url: server.url('many.git') });
    assert.equal((await spoonctl('spoons', 'branches', 'many')).stdout, 'feat/a\nmain (default)\nzoo\n');
    assert.match((await spoonctl('spoons', 'ls')).stdout, /many +0 +main +https:/);
  });
});

function isGitIn(pid: string, home: string): boolean {
  try {
    return (
      readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${home}\0`) &&
      readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('git')
    );
  } catch {
    return false;
  }
}

async function gone(isThere: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (isThere()) {
    assert.ok(Date.now() < endMs, 'still there');
    await new Promise((done) => setTimeout(done, 20));
  }
}
