import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { RunningService, type TestUser } from '../runningService.ts';

describe('a dotfiles repository, from spoonctl to the home', () => {
  let git: GitServer;
  let service: RunningService;
  let ada: TestUser;
  before(async () => {
    git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    service = await RunningService.start({ engine: 'process', environment });
    ada = await service.addUser('Ada');
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const repo = async (...args: string[]): Promise<RepositoryState> => {
    const done = await service.spoonctl(ada, ['dotfiles', 'repo', ...args, '--json']);
    assert.ok(done.stdout !== '', done.stderr);
    return JSON.parse(done.stdout) as RepositoryState;
  };
  const restart = async () => {
    const stopped = await service.spoonctl(ada, ['box', 'stop']);
    assert.equal(stopped.code, 0, stopped.stderr);
  };

  it('is cloned and set up at the next start, the overlay wins, and nothing runs again while nothing changes', async () => {
    const { url, commit } = publishTree(git, 'dots', {
      'install.sh': 'echo "setting up as $USER"; cp bashrc ~/.bashrc; cp vimrc ~/.vimrc; echo x >> ~/runs',
      bashrc: 'repo\n',
      vimrc: 'repo\n',
    });
    await service.put(ada, '.bashrc', '# overlay\n');
    const chosen = await repo('set', url);
    assert.deepEqual([chosen.settings?.url, chosen.commit, chosen.run], [url, null, null]);
    assert.equal(await service.inBox(ada, 'cat', '.bashrc', '.vimrc', 'runs'), '# overlay\nrepo\nx');
    const state = await repo('show');
    assert.deepEqual([state.run?.state, state.commit], ['ok', commit]);
    for (let start = 0; start < 3; start++) {
      await restart();
      assert.equal(await service.inBox(ada, 'cat', 'runs'), 'x');
    }
    await restart();
    const log = await service.spoonctl(ada, ['dotfiles', 'repo', 'log']);
    assert.match(log.stdout, /setting up as ada/, 'the log outlives the box');
    const status = await service.spoonctl(ada, ['status']);
    assert.equal(status.code, 0);
  });

  it('is found to have moved on, and taken when asked', async () => {
    const { commit } = publishTree(git, 'dots', { 'install.sh': 'echo new > ~/.vimrc; echo y >> ~/runs' });
    const seen = await repo('test');
    assert.equal(seen.available, commit);
    assert.equal(await service.inBox(ada, 'cat', 'runs'), 'x');
    const another = await service.fetch(ada, '/v1/environment/repository/run', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ update: true, commit: 'f'.repeat(40) }),
    });
    assert.deepEqual([another.status, ((await another.json()) as { code: string }).code], [409, 'repository-updated']);
    assert.equal((await repo('show')).available, commit, 'what somebody has looked at is taken, and nothing else');
    const taken = await repo('update');
    assert.deepEqual([taken.commit, taken.available, taken.run?.state], [commit, null, 'ok']);
    assert.equal(await service.inBox(ada, 'cat', 'runs', '.vimrc', '.bashrc'), 'x\ny\nnew\n# overlay');
  });

  it('shows what went wrong, and the terminal opens', async () => {
    const { url } = publishTree(git, 'broken', { setup: '#!/bin/bash\necho "setup: line 7: nope" >&2\nexit 4\n' });
    const failed = await service.spoonctl(ada, ['dotfiles', 'repo', 'set', url]);
    assert.equal(failed.code, 1, failed.stdout);
    assert.match(failed.stdout, /setup failed \(exit code 4\) after .* Its log says more/);
    assert.match(failed.stdout, /spoonctl dotfiles repo log/);
    await restart();
    assert.equal(await service.inBox(ada, 'echo', 'open'), 'open');
    const status = await service.spoonctl(ada, ['status']);
    assert.match(status.stdout, /setup failed \(exit code 4\)/);
  });

  it('has the secrets for a setup in its script, masked in its log, and not in a shell (row 75)', async () => {
    const value = 'canary-setup-5be1';
    const done = await service.spoonctl(ada, ['secrets', 'set', 'SETUP_KEY', '--scope', 'setup'], value);
    assert.equal(done.code, 0, done.stderr);
    const script = `echo "as it is: $SETUP_KEY; as a URL: https://x/?k=$SETUP_KEY"; printf %s "ada:$SETUP_KEY" | base64
printf %s "$SETUP_KEY" > ~/seen; env | grep -c SETUP_KEY; exit 0`;
    const { url } = publishTree(git, 'secretive', { 'install.sh': script });
    await repo('set', url);
    assert.equal(await service.inBox(ada, 'sh', '-c', 'cat seen; echo "[$SETUP_KEY]"'), `${value}[]`);
    const log = (await service.spoonctl(ada, ['dotfiles', 'repo', 'log'])).stdout;
    assert.match(log, /as it is: \*\*\*; as a URL: https:\/\/x\/\?k=\*\*\*/);
    assert.ok(!log.includes(value) && !Buffer.from(log.replaceAll(/\s/g, ''), 'base64').includes(value));
    assert.ok(!log.includes(Buffer.from(`ada:${value}`).toString('base64')));
    // Another value is no reason to run it again.
    await service.inBox(ada, 'rm', 'seen');
    await service.spoonctl(ada, ['secrets', 'set', 'SETUP_KEY'], `${value}-new`);
    await restart();
    assert.equal(await service.inBox(ada, 'sh', '-c', 'ls seen 2>/dev/null; echo none'), 'none');
  });

  it('keeps nobody waiting who does not want to, and goes on beside; it can be cancelled', async () => {
    const { url } = publishTree(git, 'slow', {
      'install.sh': 'echo mine > ~/.bashrc; until [ -e ~/go ]; do sleep 0.05; done',
    });
    await restart();
    await repo('set', url);
    const open = (withoutWaiting: boolean) =>
      service.fetch(ada, '/v1/terminals', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ withoutWaiting }),
      });
    const waiting = open(false);
    const response = await open(true);
    assert.equal(response.status, 200, await response.text());
    assert.equal((await waiting).status, 200, 'the box is up for the others too');
    assert.equal((await repo('show')).run?.state, 'running');
    await service.inBox(ada, 'touch', 'go');
    for (let state = await repo('show'); state.run?.state !== 'ok'; state = await repo('show')) {
      assert.equal(state.run?.state, 'running', JSON.stringify(state.run));
    }
    assert.equal(await service.inBox(ada, 'cat', '.bashrc'), '# overlay');
    await service.inBox(ada, 'rm', 'go');
    assert.equal((await repo('run', '--no-wait')).run?.state, 'running');
    assert.equal((await repo('cancel')).run?.state, 'cancelled');
  });

  it('runs nothing at starts without a change, also when the service was away', async () => {
    const { url } = publishTree(git, 'counted', { 'install.sh': 'echo z >> ~/count' });
    await repo('set', url);
    await service.kill('SIGKILL');
    await service.launch();
    for (let start = 0; start < 3; start++) {
      await restart();
      assert.equal(await service.inBox(ada, 'cat', 'count'), 'z');
    }
  });

  it('is taken out again', async () => {
    const { url } = publishTree(git, 'links', { '.inputrc': 'repo\n' });
    await service.inBox(ada, 'sh', '-c', 'echo mine > .inputrc');
    await repo('set', url);
    assert.equal(await service.inBox(ada, 'cat', '.inputrc'), 'repo');
    const gone = await repo('rm');
    assert.equal(gone.settings, null);
    assert.equal(await service.inBox(ada, 'cat', '.inputrc'), 'mine');
  });
});
