import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { RunningService } from '../runningService.ts';

describe('a setup that takes its box along', () => {
  it('is started by itself twice, then the terminal opens, it is told, and it can be repaired and run again', async () => {
    await using git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    await using service = await RunningService.start({ engine: 'process', environment });
    const ada = await service.addUser('Ada');
    const boxd = '$(grep -lz "boxd.js\\|boxd/main" /proc/[0-9]*/cmdline | cut -d/ -f3)';
    const { url } = publishTree(git, 'deadly', {
      'install.sh': `echo x >> ~/tries; [ -e ~/repaired ] || kill -9 ${boxd}; sleep 1000 & wait`,
    });
    const repo = async (...args: string[]) => {
      const done = await service.spoonctl(ada, ['dotfiles', 'repo', ...args, '--json']);
      return JSON.parse(done.stdout || done.stderr) as RepositoryState;
    };
    await repo('set', url);
    const outcomes: (number | null)[] = [];
    for (let start = 0; start < 4; start++) {
      outcomes.push((await service.spoonctl(ada, ['exec', '--', 'true'])).code);
    }
    assert.deepEqual(outcomes.slice(-1), [0], `a terminal opens: ${outcomes}`);
    assert.equal(await service.inBox(ada, 'cat', 'tries'), 'x\nx');
    const { run } = await repo('show');
    assert.match(run?.stages.at(-1)?.detail ?? '', /box ended twice.*Repair it, then run the setup again/);
    publishTree(git, 'deadly', { 'install.sh': 'echo repaired >> ~/tries' });
    await repo('update');
    assert.equal(await service.inBox(ada, 'cat', 'tries'), 'x\nx\nrepaired');
  });
});
