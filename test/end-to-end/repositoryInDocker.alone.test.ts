import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { pointerTo, serveLargeFiles } from '../../boxd/testing/largeFiles.ts';
import { headOf, linkSubmodules, publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryGenerations, RepositoryState } from '../../protocol/repository.ts';
import {
  canaryPort,
  HostNetwork,
  httpsPort,
  lanAddresses,
  listedPort,
} from '../../service/boxes/hostNetwork.fixture.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { printOf } from './homePrint.fixture.ts';

const [lanAddress = ''] = lanAddresses;

/** The whole way: a box on Docker, the rules for its network, and a server behind the host that one hole leads to. Alone: the places around Docker's network are there once. */
describe('a dotfiles repository in a box on Docker', { concurrency: false }, () => {
  let network: HostNetwork;
  let git: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    network = await HostNetwork.around(process.env.SPOON_TEST_DOCKER_NETWORK, [listedPort]);
    git = await GitServer.start({ address: lanAddress, port: listedPort });
    await network.forward(listedPort, git.socketPath);
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = {
      SPOON_GIT_HOSTS: `${git.host}`,
      SPOON_CA_FILE: ca,
      SPOON_AGENT_DNS: lanAddress,
      SPOON_GIT_TIMEOUT_MS: '20000',
    };
    service = await RunningService.start({ engine: 'docker', environment });
    ada = await service.addUser('Ada');
    await service.inBox(ada, 'true');
    network.takeHits();
    // The canary sings: nobody would be seen where it does not.
    for (const seen of [canaryPort, httpsPort]) {
      await network.inside('bash', '-c', `: < /dev/tcp/169.254.169.254/${seen}`);
      assert.deepEqual(await network.untilHits(1), [`hit 169.254.169.254 ${seen}`]);
    }
  });
  /** Connections that came where none should. */
  const hits = () => network.takeHits().filter((line) => line.startsWith('hit'));
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
    await network?.[Symbol.asyncDispose]();
  });

  const url = (name: string) => git.url(`${name}.git`);
  const json = async <T>(...args: string[]): Promise<T> => {
    const done = await service.spoonctl(ada, [...args, '--json']);
    assert.ok(done.stdout !== '', done.stderr);
    return JSON.parse(done.stdout) as T;
  };
  const repo = (...args: string[]) => json<RepositoryState>('dotfiles', 'repo', ...args);

  it('is cloned, set up, updated and gone back from, with a token', async () => {
    const script = 'cp v ~/v; echo "as $(id -un) with $SPOON_HOME"; env > ~/seen';
    const first = publishTree(git, 'dots', { 'install.sh': script, v: '1' });
    git.protect('dots.git', 'git', 'tok-3n-canary-docker');
    const token = await service.spoonctl(ada, ['dotfiles', 'repo', 'token', url('dots')], 'tok-3n-canary-docker');
    assert.equal(token.code, 0, token.stderr);
    const set = await repo('set', url('dots'));
    assert.deepEqual([set.run?.state, set.commit], ['ok', first.commit], JSON.stringify(set.run));
    const log = await service.spoonctl(ada, ['dotfiles', 'repo', 'log']);
    assert.match(log.stdout, /as ada with \/home\/ada/);
    const second = publishTree(git, 'dots', { 'install.sh': script, v: '2' });
    assert.equal((await repo('update')).commit, second.commit);
    assert.equal(await service.inBox(ada, 'cat', 'v'), '2');
    assert.equal((await repo('rollback', '1')).commit, first.commit);
    assert.equal(await service.inBox(ada, 'cat', 'v'), '1');
    const search = 'grep -rl tok-3n-canary . /proc/[0-9]*/environ /proc/[0-9]*/cmdline /dev/shm 2>/dev/null; echo none';
    assert.equal(await service.inBox(ada, 'sh', '-c', search.replace('tok-3n', 'tok[-]3n')), 'none');
    assert.deepEqual(hits(), []);
  });

  it('has its large files and submodules once they are switched on, and only from its own server', async () => {
    publishTree(git, 'plug', { x: 'x' });
    const tree = {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      // Never followed: it would lead out.
      '.lfsconfig': `[lfs]\n\turl = http://169.254.169.254:${canaryPort}/lfs\n`,
      'fonts/a.bin': pointerTo('large'),
      'install.sh': 'cat fonts/a.bin > ~/font; cat plug/x >> ~/font; git status --short | wc -l >> ~/font; true',
    };
    publishTree(git, 'fonts', tree);
    serveLargeFiles(git, 'fonts', ['large'], 'git:tok-3n-canary-lfs');
    git.protect('fonts.git', 'git', 'tok-3n-canary-lfs');
    linkSubmodules(git, 'fonts', { plug: { url: '../plug.git', commit: headOf(git, 'plug') } });
    const token = await service.spoonctl(ada, ['dotfiles', 'repo', 'token', url('fonts')], 'tok-3n-canary-lfs');
    assert.equal(token.code, 0, token.stderr);
    const off = await repo('set', url('fonts'));
    assert.equal(off.run?.state, 'ok', JSON.stringify(off.run));
    assert.match(await service.inBox(ada, 'cat', 'font'), /^version https:\/\/git-lfs/);
    const on = await repo('set', url('fonts'), '--lfs', '--submodules');
    assert.equal(on.run?.state, 'ok', JSON.stringify(on.run));
    assert.match(await service.inBox(ada, 'cat', 'font'), /^largex/);
    const shown = await service.spoonctl(ada, ['dotfiles', 'repo', 'show']);
    assert.match(shown.stdout, /with submodules and Git LFS/);
    serveLargeFiles(git, 'fonts', ['large', 'larger'], 'git:tok-3n-canary-lfs');
    publishTree(git, 'fonts', { ...tree, 'fonts/a.bin': pointerTo('larger') });
    assert.equal((await repo('update')).run?.state, 'ok');
    const { generations } = await json<RepositoryGenerations>('dotfiles', 'repo', 'generations');
    const before = String(generations[1]?.number);
    const file = ['--file', '~/.dotfiles/fonts/a.bin'];
    const back = await service.spoonctl(ada, ['dotfiles', 'repo', 'rollback', before, ...file]);
    assert.equal(back.code, 0, back.stderr);
    assert.equal(await service.inBox(ada, 'cat', '.dotfiles/fonts/a.bin'), 'large', 'the content, and no pointer');
    publishTree(git, 'fonts', { ...tree, 'fonts/a.bin': pointerTo('missing') });
    const failed = await repo('update');
    assert.equal(failed.run?.state, 'failed');
    assert.doesNotMatch((await service.spoonctl(ada, ['dotfiles', 'repo', 'log'])).stdout, /canary-lfs/);
    assert.deepEqual(hits(), []);
  });

  it('is tested in a scratch box that neither the real home nor the network around suffers from', async () => {
    const tries = ['169.254.169.254', '10.77.0.1', lanAddress].map(
      (address) => `timeout 3 bash -c ': < /dev/tcp/${address}/${canaryPort}' && echo "reached ${address}"`,
    );
    publishTree(git, 'hostile', {
      'install.sh': `${tries.join('\n')}\nrm -rf ~/* ~/.[!.]*; echo x > /home/ada/planted; ls /mnt/home; exit 5\n`,
    });
    await service.inBox(ada, 'sh', '-c', 'mkdir -p work; echo mine > work/file');
    await repo('set', url('hostile'), '--off');
    const home = join(service.workdir, 'homes', 'ada');
    const before = printOf(home);
    const tested = await service.spoonctl(ada, ['dotfiles', 'repo', 'test', '--scratch', '--log']);
    assert.deepEqual(printOf(home), before);
    assert.match(tested.stdout, /setup failed \(exit code 5\)/, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /- ~\/work\/\n/);
    assert.doesNotMatch(tested.stdout, /^reached/m);
    assert.deepEqual(hits(), []);
    assert.deepEqual(readdirSync(join(service.workdir, 'homes')), ['ada']);
  });

  it('that is sent elsewhere by its server reaches nothing there', async () => {
    const places = [
      'https://169.254.169.254',
      `http://169.254.169.254:${canaryPort}`,
      `http://10.77.0.1:${canaryPort}`,
    ];
    for (const [index, place] of [...places, `https://${lanAddress}:${canaryPort}`, 'file:///etc'].entries()) {
      git.handle(`away${index}`, (request, response) => {
        response.writeHead(302, { location: `${place}${request.url}` }).end();
      });
      const { run } = await repo('set', url(`away${index}`));
      assert.equal(run?.state, 'failed');
      assert.match(run?.stages[0]?.detail ?? '', /has moved/);
    }
    assert.deepEqual(hits(), []);
  });

  it('of a name that leads to the metadata address reaches nothing', async () => {
    const { run } = await repo('set', 'https://rebind.example.org/ada/dots');
    assert.equal(run?.state, 'failed');
    assert.match(run?.stages[0]?.detail ?? '', /Could not connect|did not finish in time/);
    assert.ok(
      network.hits.some((line) => line.startsWith('query rebind')),
      'the name was asked for',
    );
    assert.deepEqual(hits(), []);
  });

  it('whose setup asks around by itself reaches nothing, and a terminal opens', async () => {
    const tries = ['169.254.169.254', '10.77.0.1', lanAddress].map(
      (address) => `timeout 3 bash -c ': < /dev/tcp/${address}/${canaryPort}' && echo "reached ${address}"`,
    );
    publishTree(git, 'asks', { 'install.sh': `${tries.join('\n')}\nexit 0\n` });
    const { run } = await repo('set', url('asks'));
    assert.equal(run?.state, 'ok', JSON.stringify(run));
    assert.doesNotMatch((await service.spoonctl(ada, ['dotfiles', 'repo', 'log'])).stdout, /^reached/m);
    assert.deepEqual(hits(), []);
    assert.equal(await service.inBox(ada, 'echo', 'open'), 'open');
  });
});
