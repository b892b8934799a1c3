import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { removeBoxFromOutside } from '../fixtures/ownContainers.fixture.ts';
import { RunningService, testEngines } from '../runningService.ts';

for (const engine of testEngines) {
  describe(`a home in a box (${engine})`, { concurrency: false }, () => {
    it('shows a stored dotfile in a login shell, and a change of it in the running box', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada Lovelace');
      await service.put(ada, '.bashrc', 'export SPOON_PROOF=first\n');
      assert.equal(await service.inBox(ada, 'bash', '-lic', 'echo $SPOON_PROOF'), 'first');
      await service.put(ada, '.bashrc', 'export SPOON_PROOF=second\n');
      assert.equal(await service.inBox(ada, 'bash', '-lic', 'echo $SPOON_PROOF'), 'second');
      assert.equal(await service.inBox(ada, 'cat', '.bashrc'), 'export SPOON_PROOF=second');
      assert.equal((await service.spoonctl(ada, ['dotfiles', 'rm', '.bashrc'])).code, 0);
      assert.equal(await service.inBox(ada, 'bash', '-c', 'test -e ~/.bashrc && echo there || echo gone'), 'gone');
    });

    it('is the person whom the profile names, everywhere that programs ask', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada Lovelace');
      assert.equal(await service.inBox(ada, 'pwd'), '/home/ada');
      assert.equal(await service.inBox(ada, 'whoami'), 'ada');
      assert.equal(await service.inBox(ada, 'bash', '-c', 'echo $HOME $USER ~'), '/home/ada ada /home/ada');
      const info = await service.inBox(ada, 'node', '-p', 'JSON.stringify(os.userInfo())');
      assert.deepEqual((({ username, homedir, shell }) => ({ username, homedir, shell }))(JSON.parse(info)), {
        username: 'ada',
        homedir: '/home/ada',
        shell: '/bin/bash',
      });
      assert.match(
        await service.inBox(ada, 'bash', '-c', 'ssh -V 2>&1; ssh -G example.org | grep ^user\\ '),
        /OpenSSH[\s\S]*user ada/,
      );
      const commit =
        'git init -q repo && cd repo && git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m one && git log --format=%s';
      assert.equal(await service.inBox(ada, 'bash', '-c', commit), 'one');
    });

    it('passes bytes, standard error and the exit code of a command through', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256));
      const echoed = await service.spoonctl(ada, ['exec', '--', 'cat'], bytes);
      assert.equal(Buffer.compare(echoed.stdoutBytes, bytes), 0);
      const failed = await service.spoonctl(ada, ['exec', '--', 'bash', '-c', 'echo out; echo err >&2; exit 7']);
      assert.deepEqual([failed.code, failed.stdout, failed.stderr], [7, 'out\n', 'err\n']);
      assert.equal((await service.spoonctl(ada, ['exec', '--', 'no-such-program'])).code, 127);
    });

    it('keeps files, modes and links exactly, and the home over the loss of the box', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      const binary = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256));
      await service.put(ada, '.local/share/font.ttf', binary);
      await service.put(ada, 'bin/hello', '#!/bin/sh\necho hello\n', 0o755);
      await service.put(ada, '.ssh/config', 'Host *\n');
      assert.equal(await service.inBox(ada, 'bin/hello'), 'hello');
      assert.equal(await service.inBox(ada, 'stat', '-c', '%a', '.ssh', '.ssh/config'), '700\n600');
      const back = await service.spoonctl(ada, ['exec', '--', 'cat', '.local/share/font.ttf']);
      assert.equal(Buffer.compare(back.stdoutBytes, binary), 0);
      await service.inBox(ada, 'bash', '-c', 'echo mine > notes.txt');
      await removeFromOutside(service, ada.username);
      assert.equal(await service.inBox(ada, 'cat', 'notes.txt'), 'mine');
      assert.equal(await service.inBox(ada, 'bin/hello'), 'hello');
    });

    it('keeps a hand edit that a save would have overwritten', async () => {
      await using service = await RunningService.start({ engine });
      const ada = await service.addUser('Ada');
      await service.put(ada, '.vimrc', 'set number\n');
      await service.inBox(ada, 'bash', '-c', 'echo "set ruler" >> ~/.vimrc');
      await service.put(ada, '.vimrc', 'set list\n');
      assert.equal(await service.inBox(ada, 'cat', '.vimrc'), 'set list');
      const kept = await service.inBox(ada, 'bash', '-c', 'cat ~/.spoon/backup/*/.vimrc');
      assert.equal(kept, 'set number\nset ruler');
      const history = JSON.parse((await service.spoonctl(ada, ['dotfiles', 'history', '.vimrc', '--json'])).stdout);
      assert.deepEqual(history.versions.map((version: { origin: string }) => version.origin).includes('drift'), true);
    });
  });
}

/** What a careless operator or a crash does to a box, behind the back of the service. */
async function removeFromOutside(service: RunningService, username: string): Promise<void> {
  if (service.engine === 'docker') {
    await removeBoxFromOutside(service, username);
  } else {
    const state = JSON.parse(await readFile(join(service.workdir, 'run', '.boxes', `${username}.json`), 'utf8')) as {
      pid: number;
    };
    process.kill(state.pid, 'SIGKILL');
  }
  // The next command notices by itself; that the state is corrected without one is another test's business.
}
