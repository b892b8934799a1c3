import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../testing/eventually.ts';
import { failureOf, GitCalls, makeFields, resultOf } from '../testing/gitCalls.ts';
import { GitServer, git } from '../testing/gitServer.ts';
import { TestBox } from '../testing/testBox.ts';

/** Servers and repositories that mean harm (rows 82 to 90, R19). The canary stands for whatever must not be reached. */
describe('a hostile repository', { timeout: 300_000 }, () => {
  let server: GitServer;
  let box: TestBox;
  let calls: GitCalls;
  let canary: Server;
  let hits: string[];
  let pwned: string;
  before(async () => {
    server = await GitServer.start();
    box = await TestBox.start({ prepare: (home) => writeFileSync(join(dirname(home), 'ca.pem'), server.ca) });
    calls = new GitCalls(box);
    hits = [];
    canary = createServer((request, response) => {
      hits.push(String(request.url));
      response.end('canary');
    });
    await new Promise<void>((done) => canary.listen(0, '127.0.0.1', done));
    pwned = join(box.home, 'pwned');
  });
  afterEach(() => {
    assert.deepEqual(hits, []);
    assert.ok(!existsSync(pwned), 'code of the repository was run');
    const left = readdirSync(join(box.home, 'Code')).filter((name) => name !== 'kept');
    assert.deepEqual(left, [], 'something was left');
    assert.deepEqual(gitProcesses(), []);
  });
  after(async () => {
    canary.close();
    await box.stop();
    await server[Symbol.asyncDispose]();
  });

  const canaryUrl = () => `http://127.0.0.1:${(canary.address() as AddressInfo).port}`;
  const gitProcesses = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`\0HOME=${box.home}\0`) &&
          readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith('git')
        );
      } catch {
        return false;
      }
    });
  const refused = async (name: string, more: Record<string, unknown> = {}) =>
    failureOf(await calls.make(server.url(`${name}.git`), `${name}/main`, more));

  for (const [what, location] of [
    ['another server', () => `${canaryUrl()}/latest/meta-data/info/refs?service=git-upload-pack`],
    ['a file', () => 'file:///etc/passwd'],
    ['another path of its own', () => server.url('elsewhere.git/info/refs')],
  ] as const) {
    it(`is not followed to ${what} (row 83)`, async () => {
      server.handle('moved.git', (_, response) => response.writeHead(302, { location: location() }).end());
      server.handle('elsewhere.git', () => assert.fail('followed'));
      const { code, detail } = await refused('moved');
      assert.equal(code, 'repository-moved');
      const { protocol, host, pathname } = new URL(location());
      assert.equal(detail, `It is now at ${protocol}//${host}${pathname.replace('/info/refs', '')}.`);
    });
  }

  it('is tried once at URL.git when it has moved (decision 13)', async () => {
    const work = server.repository('kept');
    server.handle('kept/', (_, response) => response.writeHead(301, { location: '/kept.git/info/refs' }).end());
    resultOf(await calls.make(server.url('kept'), 'kept/main'));
    assert.equal(git(join(box.home, 'Code/kept/main'), 'remote', 'get-url', 'origin'), server.url('kept.git'));
    assert.ok(existsSync(work));
  });

  it('that asks for a password is private or missing, at once (row 84)', async () => {
    const started = performance.now();
    for (const [name, status] of [
      ['asks', 401],
      ['forbids', 403],
      ['lacks', 404],
    ] as const) {
      server.handle(`${name}.git`, (_, response) =>
        response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end(),
      );
      assert.equal((await refused(name)).code, 'repository-private');
    }
    assert.ok(performance.now() - started < 5_000);
  });

  it('whose server does not answer is ended in time, with every process of it (R19)', async () => {
    server.handle('hangs.git', () => undefined);
    const { code, detail } = await refused('hangs', { timeoutMs: 1_500 });
    assert.equal(code, 'git-timeout');
    assert.match(detail, /2 s/);
  });

  it('whose server trickles is ended in time', async () => {
    server.handle('trickles.git', (request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      const timer = setInterval(() => response.write('0'), 100);
      request.socket.once('close', () => clearInterval(timer));
    });
    assert.match((await refused('trickles', { timeoutMs: 1_500 })).code, /git-timeout|repository-unavailable/);
  });

  it('can be cancelled, and nothing of it runs on', async () => {
    server.handle('cancel.git', () => undefined);
    const { id, state } = await calls.begin('make', makeFields(server.url('cancel.git'), 'cancel/main'));
    assert.equal(state.state, 'running');
    await eventually('git runs', () => gitProcesses().length > 0);
    const reply = await box.request('DELETE', `/v1/git/${id}`);
    assert.equal(reply.status, 204);
    assert.deepEqual(gitProcesses(), []);
  });

  it('where nobody listens, or with a certificate of nobody', async () => {
    const closed = 'https://127.0.0.1:1/x.git';
    assert.equal(failureOf(await calls.make(closed, 'closed/main')).code, 'repository-unavailable');
    const other = await GitServer.start();
    try {
      const { code, detail } = failureOf(await calls.make(other.url('x.git'), 'closed/main'));
      assert.deepEqual([code, /SPOON_CA_FILE/.test(detail)], ['repository-unavailable', true]);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it('that speaks in escape sequences is quoted without them (row 88)', async () => {
    server.handle('speaks.git', (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
      const packet = (text: string) => (text.length + 4).toString(16).padStart(4, '0') + text;
      response.end(
        `${packet('# service=git-upload-pack\n')}0000${packet('ERR \u001b]0;evil\u0007\u001b[31mgo away\u001b[2J')}0000`,
      );
    });
    const { detail } = await refused('speaks');
    assert.match(detail, /go away/);
    assert.doesNotMatch(detail, /\p{Cc}/u);
  });

  const evil: [what: string, entries: (blob: string, tree: string) => string][] = [
    ['.git', (_, tree) => `040000 tree ${tree}\t.git\n`],
    ['.GIT', (_, tree) => `040000 tree ${tree}\t.GIT\n`],
    ['git~1', (_, tree) => `040000 tree ${tree}\tgit~1\n`],
    ['a link .git', (blob) => `120000 blob ${blob}\t.git\n`],
    ['..', (_, tree) => `040000 tree ${tree}\t..\n`],
    ['a .gitmodules that is a link', (blob) => `120000 blob ${blob}\t.gitmodules\n`],
  ];
  for (const [index, [what, entries]] of evil.entries()) {
    it(`with ${what} is refused (row 86)`, async () => {
      const name = `evil${index}`;
      const work = server.repository(name);
      const run = (input: string, ...args: string[]) =>
        execFileSync('git', ['-c', 'core.protectNTFS=false', '-c', 'core.protectHFS=false', ...args], {
          cwd: work,
          input,
          encoding: 'utf8',
          env: {
            ...process.env,
            GIT_AUTHOR_NAME: 'x',
            GIT_AUTHOR_EMAIL: 'x',
            GIT_COMMITTER_NAME: 'x',
            GIT_COMMITTER_EMAIL: 'x',
          },
        }).trim();
      const blob = run('hooks', 'hash-object', '-w', '--stdin');
      const tree = run(`100644 blob ${blob}\tconfig\n`, 'mktree');
      const root = run(entries(blob, tree), 'mktree');
      const commit = run('', 'commit-tree', root, '-m', 'evil');
      git(work, 'update-ref', 'refs/heads/main', commit);
      git(work, 'push', '-q', '--force', 'origin', 'main');
      assert.equal((await refused(name)).code, 'repository-refused');
    });
  }

  it('leaves its submodules alone, whatever they are called (row 86)', async () => {
    const work = server.repository('kept2', {
      '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ${canaryUrl()}/x\n`,
    });
    git(work, 'update-index', '--add', '--cacheinfo', `160000,${git(work, 'rev-parse', 'HEAD')},x`);
    git(work, 'commit', '-qm', 'sub');
    git(work, 'push', '-q', 'origin', 'main');
    const { state } = await calls.make(server.url('kept2.git'), 'kept/sub', { branch: 'main' });
    assert.equal(state, 'done');
    assert.deepEqual(readdirSync(join(box.home, 'Code/kept/sub/x')), []);
  });

  it('runs no hook, filter or monitor, not even what the home configures (row 87)', async () => {
    const template = join(box.home, 'template/hooks');
    mkdirSync(template, { recursive: true });
    writeFileSync(join(template, 'post-checkout'), `#!/bin/sh\ntouch ${pwned}\n`);
    chmodSync(join(template, 'post-checkout'), 0o755);
    const touch = `touch ${pwned}`;
    writeFileSync(
      join(box.home, '.gitconfig'),
      `[init]\n\ttemplateDir = ~/template\n[core]\n\thooksPath = ~/template/hooks\n\tfsmonitor = ${touch}\n` +
        `[filter "evil"]\n\tsmudge = ${touch}\n\tclean = cat\n\trequired = true\n[credential]\n\thelper = "!${touch}"\n`,
    );
    server.repository('filtered', { '.gitattributes': '* filter=evil\n', 'a.txt': 'a' });
    const made = await calls.make(server.url('filtered.git'), 'kept/filtered', { branch: 'main' });
    assert.equal(made.state, 'done', JSON.stringify(made));
    assert.equal(readFileSync(join(box.home, 'Code/kept/filtered/a.txt'), 'utf8'), 'a');
    server.handle('asks-again.git', (_, response) =>
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    );
    assert.equal((await refused('asks-again')).code, 'repository-private');
    assert.equal((await calls.status('kept/filtered')).dirty, 0);
    rmSync(join(box.home, '.gitconfig'));
  });

  it('leads nowhere by bundles and alternates (row 90)', async () => {
    const work = server.repository('bundles');
    const bare = git(work, 'remote', 'get-url', 'origin');
    git(bare, 'config', 'uploadpack.advertiseBundleURIs', 'true');
    git(bare, 'config', 'bundle.version', '1');
    git(bare, 'config', 'bundle.mode', 'all');
    git(bare, 'config', 'bundle.one.uri', `${canaryUrl()}/bundle`);
    assert.equal((await calls.make(server.url('bundles.git'), 'kept/bundles', { branch: 'main' })).state, 'done');
    const commit = git(work, 'rev-parse', 'HEAD');
    server.handle('dumb.git', (request, response) => {
      const path = String(request.url).replace(/\?.*/, '').replace('/dumb.git/', '');
      if (path === 'info/refs') response.end(`${commit}\trefs/heads/main\n`);
      else if (path === 'HEAD') response.end('ref: refs/heads/main\n');
      else if (path === 'objects/info/http-alternates') response.end(`${canaryUrl()}/objects\n`);
      else if (path === 'objects/info/alternates') response.end('/etc\n');
      else response.writeHead(404).end();
    });
    failureOf(await calls.make(server.url('dumb.git'), 'dumb/main'));
  });
});
