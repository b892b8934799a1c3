import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../boxd/testing/eventually.ts';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { ScratchTest } from '../../protocol/scratch.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { printOf } from './homePrint.fixture.ts';

describe('a setup that is tested in a scratch box', () => {
  let git: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca, SPOON_SCRATCH_MIB: '16' };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
    await service.put(ada, '.bashrc', '# overlay\n');
    await service.inBox(
      ada,
      'sh',
      '-c',
      'mkdir -p work/deep; echo mine > work/deep/file; ln -s work there; echo old > .vimrc',
    );
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const home = () => join(service.workdir, 'homes', 'ada');
  const repo = (...args: string[]) => service.spoonctl(ada, ['dotfiles', 'repo', ...args]);
  const choose = async (name: string, script: string) => {
    const { url } = publishTree(git, name, { 'install.sh': script });
    const set = await service.fetch(ada, '/v1/environment/repository', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      // Off: nothing of it runs in the real box.
      body: JSON.stringify({ url, enabled: false }),
    });
    assert.equal(set.status, 200, await set.text());
  };
  const call = async (method: string, path = '') => {
    const post = method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {};
    const response = await service.fetch(ada, `/v1/environment/repository/scratch${path}`, { method, ...post });
    assert.equal(response.status, 200);
    return ((await response.json()) as { test: ScratchTest }).test;
  };
  /** Of all but the real homes nothing is left: no copy, no folder, no process. */
  const left = () => [
    ...readdirSync(join(service.workdir, 'homes')).filter((name) => name !== 'ada'),
    ...['run', 'etc']
      .flatMap((folder) => readdirSync(join(service.workdir, folder)))
      .filter((name) => /scratch/.test(name)),
    ...readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes('spoon-scratch-canary')),
  ];

  it('cannot touch the real home, whatever it tries, and says what it would have done', async () => {
    await choose(
      'hostile',
      `rm -rf ~/* ~/.[!.]* /home/ada/work; echo x > /home/ada/planted; echo x > "$HOME/.bashrc"
cat /mnt/home/work/deep/file && echo "it sees the real home"
find / -xdev -path '*/deep/file' 2>/dev/null; touch /mnt/home/x /home/other 2>/dev/null; exit 7`,
    );
    const before = printOf(home());
    const done = await repo('test', '--scratch', '--log');
    assert.deepEqual(printOf(home()), before);
    assert.deepEqual(left(), []);
    assert.equal(done.code, 1, done.stderr);
    assert.match(done.stdout, /setup failed \(exit code 7\)/);
    assert.match(done.stdout, /- ~\/work\/\n/);
    assert.match(done.stdout, /\+ ~\/planted\n/);
    assert.doesNotMatch(done.stdout, /it sees the real home|~\/\.bashrc/, 'the overlay is written last here too');
    assert.match(done.stdout, /Your real home was not touched/);
    assert.match(done.stderr, /copying your home….*running the setup….*looking at what changed/s);
    assert.equal(await service.inBox(ada, 'cat', 'work/deep/file'), 'mine');
  });

  it('shows what a good one would change', async () => {
    await choose(
      'good',
      'echo new > ~/.vimrc; mkdir -p ~/.config/app; echo a > ~/.config/app/a; cat ~/there/deep/file',
    );
    const before = printOf(home());
    const { stdout, code, stderr } = await repo('test', '--scratch', '--json');
    assert.equal(code, 0, stdout + stderr);
    const test = JSON.parse(stdout) as ScratchTest;
    assert.deepEqual(
      test.run?.stages.map(({ name, state }) => [name, state]),
      [
        ['repository', 'ok'],
        ['setup', 'ok'],
        ['home', 'ok'],
        ['overlay', 'ok'],
      ],
    );
    const changes = test.home?.changes.map(({ path, change }) => `${change} ${path}`) ?? [];
    assert.ok(changes.includes('changed .vimrc') && changes.some((text) => /^added \.config\//.test(text)), stdout);
    assert.match(await (await service.fetch(ada, '/v1/environment/repository/scratch/log')).text(), /^mine$/m);
    assert.deepEqual(printOf(home()), before);
  });

  it('is cancelled, and gone', async () => {
    await choose('endless', 'exec -a spoon-scratch-canary sleep 1000');
    await call('POST');
    await eventually('it runs', () => left().some((name) => /^\d+$/.test(name)));
    const cancelled = await call('POST', '/cancel');
    assert.deepEqual([cancelled.state, cancelled.phase], ['cancelled', 'ended']);
    assert.deepEqual(left(), []);
  });

  it('is swept away when the service was ended meanwhile', async () => {
    await call('POST');
    await eventually('it runs', () => left().some((name) => /^\d+$/.test(name)));
    await service.kill('SIGKILL');
    await service.launch();
    await eventually('nothing is left', () => left().length === 0);
    assert.equal(await call('GET'), null);
    assert.equal(await service.inBox(ada, 'cat', 'work/deep/file'), 'mine');
  });

  it('is not begun with a home that is too large', async () => {
    await service.inBox(ada, 'sh', '-c', 'head -c 20000000 /dev/urandom > large');
    const done = await repo('test', '--scratch');
    assert.equal(done.code, 1);
    assert.match(done.stdout, /The home is larger .* It has \d+ MiB, and a test copies at most 16 MiB\./);
    assert.deepEqual(left(), []);
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
