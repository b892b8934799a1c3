import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BoxdCredential, StartRepositoryRun } from '../../protocol/boxdRepository.ts';
import { git } from '../testing/gitServer.ts';
import { makeKey, SshServer } from '../testing/sshServer.ts';
import { TestRepository } from './testRepository.fixture.ts';

const canary = 'tok-3n-canary-91c7e2';

/** Everything that the system shows of processes: their arguments and, of the same user, their variables. */
function processTexts(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .flatMap((pid) => ['cmdline', 'environ'].map((name) => readIfThere(`/proc/${pid}/${name}`)));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Looks at all processes again and again until what it returns is called; gives what held the secret. */
function watchProcesses(secret: string): () => string[] {
  const found: string[] = [];
  let isOn = true;
  let looks = 0;
  const look = () => {
    looks++;
    found.push(...processTexts().filter((text) => text.includes(secret)));
    if (isOn) setImmediate(look);
  };
  look();
  return () => {
    isOn = false;
    assert.ok(looks > 3, `looked ${looks} times`);
    return found;
  };
}

function filesWith(folder: string, secret: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(secret));
}

describe('a private repository', () => {
  let at: TestRepository;
  let ssh: SshServer;
  before(async () => {
    at = await TestRepository.start();
    ssh = await SshServer.start();
  });
  after(async () => {
    await at[Symbol.asyncDispose]();
    await ssh[Symbol.asyncDispose]();
  });

  const token = (value = canary): BoxdCredential => ({
    kind: 'token',
    host: at.server.host,
    username: 'ada',
    token: value,
  });
  const key = (more: Partial<BoxdCredential & { kind: 'key' }> = {}): BoxdCredential => ({
    kind: 'key',
    host: ssh.host,
    key: ssh.key,
    hostKeys: [ssh.hostKey],
    ...more,
  });
  const overSsh = (name: string, credential: BoxdCredential | undefined): Partial<StartRepositoryRun> => ({
    url: ssh.url(join(at.server.folder, 'repos', `${name}.git`)),
    ...(credential && { credential }),
  });

  it('is cloned and updated with a token, which shows nowhere', async () => {
    const first = at.publish('secret', {
      'install.sh': 'env; cat /proc/$PPID/environ | tr "\\0" "\\n"; cp v ~/v',
      v: '1',
    });
    at.server.protect('secret.git', 'ada', canary);
    const stop = watchProcesses(canary);
    const cloned = await at.run('secret', { credential: token() });
    assert.deepEqual([cloned.state, cloned.commit], ['ok', first], JSON.stringify(cloned));
    const second = at.publish('secret', { 'install.sh': 'cp v ~/v', v: '2' });
    const resolved = await at.box.request('POST', '/v1/repository/resolve', {
      url: at.server.url('secret.git'),
      ref: null,
      credential: token(),
    });
    assert.equal(resolved.json<{ commit: string }>().commit, second);
    const updated = await at.run('secret', { credential: token(), commit: second });
    assert.deepEqual([updated.state, at.read('v')], ['ok', '2']);
    assert.deepEqual(stop(), [], 'no argument and no variable of a process');
    assert.deepEqual(filesWith(at.box.home, canary), [], 'no file of the home, .git/config among them');
    assert.ok(!(await at.log()).includes(canary));
    assert.match(git(at.home('.dotfiles'), 'config', 'remote.origin.url'), /^https:\/\/127\.0\.0\.1:\d+\/secret\.git$/);
  });

  it('is private or missing in seconds without a token, with a wrong one, and says what to do', async () => {
    at.publish('closed', { '.x': '' });
    at.server.protect('closed.git', 'ada', canary);
    for (const [credential, advice] of [
      [undefined, /If it is private, give Spoon a token/],
      [token('wrong-token-5d1'), /does not accept the token/],
    ] as const) {
      const run = await at.run('closed', credential && { credential });
      assert.equal(run.state, 'failed');
      assert.match(run.stages[0]?.detail ?? '', /private or missing/);
      assert.match(run.stages[0]?.detail ?? '', advice);
      assert.ok(!JSON.stringify(run).includes('wrong-token-5d1') && !(await at.log()).includes('wrong-token-5d1'));
    }
  });

  it('has its token given to its own host alone, also where the checkout sends git elsewhere', async () => {
    at.publish('led', { '.led': '1' });
    const heard: (string | undefined)[] = [];
    at.server.handle('elsewhere', (request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    assert.equal((await at.run('led')).state, 'ok');
    const port = at.server.host.split(':')[1];
    git(at.home('.dotfiles'), 'config', `url.https://localhost:${port}/elsewhere/.insteadOf`, at.server.url(''));
    const commit = at.publish('led', { '.led': '2' });
    const run = await at.run('led', { credential: token(), commit });
    assert.equal(run.state, 'failed');
    assert.ok(heard.length > 0);
    assert.deepEqual([...new Set(heard)], [undefined]);
  });

  it('has what its server says back masked', async () => {
    at.server.handle('echo.git', (request, response) => {
      const [, given = ''] = (request.headers.authorization ?? '').split(' ');
      const plain = Buffer.from(given, 'base64').toString();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"', 'content-type': 'text/plain' }).end(plain);
    });
    await at.run('echo', { credential: token() });
    assert.ok(!(await at.log()).includes(canary), await at.log());
  });

  it('is cloned and updated with a deploy key, which is in memory while git runs and then gone', async () => {
    const first = at.publish('keyed', { 'install.sh': 'cp v ~/v; ls /dev/shm/spoon-secrets-*', v: '1' });
    const line = ssh.key.split('\n')[1] ?? '';
    const stop = watchProcesses(line);
    const cloned = await at.run('keyed', overSsh('keyed', key()));
    assert.deepEqual([cloned.state, cloned.commit], ['ok', first], JSON.stringify(cloned) + (await at.log()));
    const commit = at.publish('keyed', { 'install.sh': 'cp v ~/v; find /dev/shm/spoon-secrets-* -type f', v: '2' });
    const updated = await at.run('keyed', { ...overSsh('keyed', key()), commit });
    assert.deepEqual([updated.state, at.read('v')], ['ok', '2'], JSON.stringify(updated));
    assert.deepEqual(stop(), []);
    assert.deepEqual(filesWith(at.box.home, line), []);
    assert.doesNotMatch(await at.log(), /^\/dev\/shm\/.*-.*/m, 'the setup finds no key');
    assert.ok(!existsSync(at.home('.ssh')), 'nothing of ssh is left in the home');
  });

  it('with another key, host key or no key is not fetched, and says why', async () => {
    at.publish('locked', { '.x': '' });
    const other = makeKey(join(at.box.folder, 'other'));
    makeKey(join(at.box.folder, 'host'));
    const hostKey = readFileSync(join(at.box.folder, 'host.pub'), 'utf8');
    for (const [credential, words] of [
      [undefined, /private or missing.*needs a deploy key/],
      [key({ key: other }), /private or missing.*does not let the deploy key in/],
      [key({ hostKeys: [hostKey.split(' ').slice(0, 2).join(' ')] }), /host key that is not known/],
      [key({ hostKeys: [] }), /host key that is not known/],
    ] as const) {
      const run = await at.run('locked', overSsh('locked', credential));
      assert.equal(run.state, 'failed');
      assert.match(run.stages[0]?.detail ?? '', words);
    }
    const missing = await at.run('locked', overSsh('never-made', key()));
    assert.match(missing.stages[0]?.detail ?? '', /private or missing/);
  });
});
