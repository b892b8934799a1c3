import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer, git } from '../../boxd/testing/gitServer.ts';
import type { Thread } from '../../protocol/threads.ts';
import { RunningService, type TestUser } from '../runningService.ts';

/** On the process engine, whose boxes reach a server of this machine; git itself is the same on Docker. */
describe('threads in a real box', { timeout: 300_000 }, () => {
  let server: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    server = await GitServer.start();
    const caFile = join(server.folder, 'authorities.pem');
    await writeFile(caFile, server.ca);
    const environment = { SPOON_GIT_HOSTS: server.host, SPOON_CA_FILE: caFile };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const spoonctl = async (...args: string[]) => {
    const { code, stdout, stderr } = await service.spoonctl(ada, args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };

  it('are checked out as the user, and the user’s own git trusts the operator’s authority', async () => {
    server.repository('one', { 'README.md': 'hello' });
    const url = server.url('one.git');
    assert.match(await spoonctl('threads', 'new', 'one', 'main', '--url', url), /~\/Code\/one\/main\n$/);
    assert.match(await service.inBox(ada, 'git', 'ls-remote', url), /refs\/heads\/main/);
    assert.equal(await service.inBox(ada, 'git', '-C', 'Code/one/main', 'pull'), 'Already up to date.');
    assert.equal(await service.inBox(ada, 'stat', '-c', '%U', 'Code/one/main/README.md'), 'ada');
  });

  it('can be worked in two at once', async () => {
    const work = server.repository('two');
    git(work, 'push', '-q', 'origin', 'main:a', 'main:b');
    await spoonctl('threads', 'new', 'two', 'a', '--url', server.url('two.git'));
    await spoonctl('threads', 'new', 'two', 'b');
    const script =
      'for i in $(seq 20); do echo $i > f; git add f; git -c user.name=x -c user.email=x@x commit -qm $i; done';
    const inThread = (name: string) => spoonctl('exec', '--thread', name, '--', 'sh', '-ec', script);
    const [first, second] = ['two/a', 'two/b'] as const;
    await Promise.all([inThread(first), inThread(second), spoonctl('threads', 'ls'), spoonctl('threads', 'ls')]);
    const { threads } = JSON.parse(await spoonctl('threads', 'ls', '--json')) as { threads: Thread[] };
    for (const { id } of threads.filter(({ spoon }) => spoon === 'two')) {
      const thread = (await (await service.fetch(ada, `/v1/threads/${id}`)).json()) as Thread;
      assert.deepEqual([thread.status?.unpushed, thread.status?.dirty], [20, 0]);
    }
  });

  it('that were under way when the service was killed are there at the next try', async () => {
    server.repository('killed');
    const held = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    server.hold = (path) => {
      if (path !== '/killed.git/git-upload-pack') return undefined;
      asked.resolve();
      return held.promise;
    };
    const lost = service.spoonctl(ada, ['threads', 'new', 'killed', 'main', '--url', server.url('killed.git')]);
    await asked.promise;
    await service.kill('SIGKILL');
    assert.equal((await lost).code, 69);
    await service.launch();
    held.resolve();
    assert.match(
      await spoonctl('threads', 'new', 'killed', 'main', '--url', server.url('killed.git')),
      /killed\/main\n$/,
    );
    assert.equal(await service.inBox(ada, 'sh', '-c', 'ls -A ~/Code/killed'), 'main');
  });

  it('show in the box what takes the room', async () => {
    await service.inBox(ada, 'sh', '-c', 'mkdir -p ~/big && head -c 20000000 /dev/zero > ~/big/file');
    assert.match(await spoonctl('home', 'usage'), /SIZE +FILES +FOLDER\n19\.1 MiB +1 +~\/big\n/);
  });

  it('keep the box as long as is asked for, and are there again after a restart', async () => {
    const pinned = JSON.parse(await spoonctl('box', 'keep', '2h', '--json')) as { holders: { kind: string }[] };
    assert.deepEqual(
      pinned.holders.map(({ kind }) => kind),
      ['pin'],
    );
    assert.match(await spoonctl('status'), /kept until \d{4}-/);
    await service.kill('SIGTERM');
    await service.launch();
    assert.match(await spoonctl('box', 'status'), /running .*\n.*kept until/);
    assert.doesNotMatch(await spoonctl('box', 'keep', '--off'), /kept until/);
    const before = await service.inBox(ada, 'sh', '-c', 'echo $PPID; touch /tmp/mark');
    await spoonctl('box', 'restart', '--yes');
    assert.match(before, /^\d+$/);
    const { code } = await service.spoonctl(ada, ['exec', '--thread', 'one/main', '--', 'test', '-e', '/tmp/mark']);
    assert.equal(code, 1, 'a new box has an empty /tmp');
    assert.equal(await spoonctl('exec', '--thread', 'one/main', '--', 'cat', 'README.md'), 'hello');
  });
});

describe('git in a box on Docker', { timeout: 300_000 }, () => {
  it('trusts the operator’s authority beside the image’s, and says in plain words what it cannot reach', async () => {
    const server = await GitServer.start();
    const caFile = join(server.folder, 'authorities.pem');
    await writeFile(caFile, server.ca);
    const environment = { SPOON_GIT_HOSTS: 'git.internal', SPOON_CA_FILE: caFile };
    await using service = await RunningService.start({ engine: 'docker', environment });
    const ada = await service.addUser('Ada');
    const bundle = '.spoon/ca-bundle.pem';
    assert.equal(await service.inBox(ada, 'git', 'config', '--type=path', 'http.sslCAInfo'), `/home/ada/${bundle}`);
    const text = await service.inBox(ada, 'cat', bundle);
    assert.ok(text.includes(server.ca.trim()));
    assert.ok(text.split('BEGIN CERTIFICATE').length > 10, 'the image’s own are there too');
    const url = 'https://git.internal/x';
    const { code, stderr } = await service.spoonctl(ada, ['threads', 'new', 'x', 'main', '--url', url]);
    assert.equal(code, 1);
    assert.match(stderr, /The repository could not be fetched\. Could not connect/);
    await server[Symbol.asyncDispose]();
  });
});
