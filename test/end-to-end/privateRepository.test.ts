import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import { SshServer } from '../../boxd/testing/sshServer.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { RunningService, type TestUser } from '../runningService.ts';

const canary = 'tok-3n-canary-7e41aa';

describe('a private dotfiles repository, from spoonctl to the home', () => {
  let git: GitServer;
  let ssh: SshServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    git = await GitServer.start();
    ssh = await SshServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: `${git.host},${ssh.host}`, SPOON_CA_FILE: ca };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await ssh[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const repo = (args: string[], stdin?: string) => service.spoonctl(ada, ['dotfiles', 'repo', ...args], stdin);
  const state = async () => JSON.parse((await repo(['show', '--json'])).stdout) as RepositoryState;
  /** Below the working directory, the homes among it: database, its log, what is laid for boxes. */
  const filesWith = (secret: string) =>
    readdirSync(service.workdir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => readFileSync(path).includes(secret));

  it('is private or missing until its token is given, which is then all that was lacking', async () => {
    const script = 'cp v ~/v; env > ~/seen; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline >> ~/seen 2>/dev/null; true';
    const { url, commit } = publishTree(git, 'dots', { 'install.sh': script, v: '1' });
    git.protect('dots.git', 'git', canary);
    await service.inBox(ada, 'true');
    const refused = await repo(['set', url]);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /private or missing.*spoonctl dotfiles repo token/s);
    const wrong = await repo(['token'], 'wrong-canary-5d1\n');
    assert.equal(wrong.code, 0, wrong.stderr);
    const tried = await repo(['run']);
    assert.match(tried.stdout, /does not accept the token/);
    assert.equal((await repo(['token'], `${canary}\n`)).code, 0);
    const done = await repo(['run']);
    assert.equal(done.code, 0, done.stdout);
    const now = await state();
    assert.deepEqual([now.commit, now.credential?.kind, now.credential?.host], [commit, 'token', git.host]);
    assert.match((await repo(['show'])).stdout, new RegExp(`Access +token for ${git.host}`));
    const next = publishTree(git, 'dots', { 'install.sh': script, v: '2' });
    assert.equal((await repo(['update'])).code, 0);
    assert.equal(await service.inBox(ada, 'cat', 'v'), '2');
    assert.equal((await state()).commit, next.commit);
    assert.doesNotMatch(await service.inBox(ada, 'cat', 'seen'), /canary/);
  });

  it('has its token in no file, log or answer', async () => {
    const answers = [JSON.stringify(await state()), (await repo(['log'])).stdout, service.log];
    for (const secret of [canary, 'wrong-canary-5d1', Buffer.from(`git:${canary}`).toString('base64')]) {
      assert.deepEqual(filesWith(secret), []);
      assert.deepEqual(
        answers.filter((text) => text.includes(secret)),
        [],
      );
    }
  });

  it('keeps its token when another repository is refused', async () => {
    const refused = await repo(['set', 'https://git.internal/ada/dots', '--token'], 'other-token');
    assert.match(refused.stderr, /not on the public internet/);
    publishTree(git, 'dots', { 'install.sh': 'cp v ~/v', v: '2b' });
    const updated = await repo(['update']);
    assert.equal(updated.code, 0, updated.stdout);
    assert.equal((await state()).credential?.host, git.host);
  });

  it('keeps its token through a restart of the service, and loses it to another host', async () => {
    await service.kill('SIGKILL');
    await service.launch();
    publishTree(git, 'dots', { 'install.sh': 'cp v ~/v', v: '3' });
    assert.equal((await repo(['update'])).code, 0);
    const elsewhere = await repo(['set', 'github.com/ada/dotfiles', '--off']);
    assert.equal(elsewhere.code, 0, elsewhere.stderr);
    assert.equal((await state()).credential, undefined);
  });

  it('is fetched with a deploy key', async () => {
    const { commit } = publishTree(git, 'keyed', { '.keyed': 'yes\n' });
    const url = ssh.url(join(git.folder, 'repos/keyed.git'));
    const [keyFile, hostsFile] = [join(git.folder, 'key'), join(git.folder, 'known_hosts')];
    writeFileSync(keyFile, ssh.key, { mode: 0o600 });
    const unknown = await repo(['set', url, '--key', keyFile]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /does not know the keys of 127\.0\.0\.1/);
    writeFileSync(hostsFile, `[127.0.0.1]:${ssh.port} ${ssh.hostKey}\n`);
    const set = await repo(['set', url, '--key', keyFile, '--host-keys', hostsFile]);
    assert.equal(set.code, 0, set.stdout + set.stderr);
    assert.deepEqual([(await state()).commit, await service.inBox(ada, 'cat', '.keyed')], [commit, 'yes']);
    assert.deepEqual(filesWith(ssh.key.split('\n')[1] ?? ''), []);
    assert.equal((await repo(['public'])).code, 0);
    assert.match((await repo(['test'])).stderr, /needs a deploy key/);
  });

  it('refuses a token or key that cannot be one before anything is sent', async () => {
    for (const [args, stdin, words] of [
      [['token', 'ada/x'], 'two words', /1 to 4096 letters/],
      [['token', 'git@github.com:ada/x'], 'token', /takes a deploy key/],
      [['key', 'ada/x', '--from', '-'], ssh.key, /goes with an ssh address/],
      [['key', 'git@github.com:ada/x', '--from', '-'], 'ssh-ed25519 AAAA', /private part/],
    ] as const) {
      const done = await repo([...args], stdin);
      assert.notEqual(done.code, 0);
      assert.match(done.stderr, words);
    }
  });
});
