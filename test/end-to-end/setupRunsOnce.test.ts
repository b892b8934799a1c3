import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { publishTree } from '../../boxd/testing/publishTree.ts';
import { RunningService } from '../runningService.ts';

describe('a setup that ended well', () => {
  it('runs 0 times in 20 restarts without a change, and its server is asked for nothing but where its ref is', async () => {
    await using git = await GitServer.start();
    const ca = join(git.folder, 'ca.pem');
    writeFileSync(ca, git.ca);
    const environment = { SPOON_GIT_HOSTS: git.host, SPOON_CA_FILE: ca };
    await using service = await RunningService.start({ engine: 'process', environment });
    const ada = await service.addUser('Ada');
    await service.put(ada, '.bashrc', '# overlay\n');
    const { url } = publishTree(git, 'dots', { 'install.sh': 'echo x >> ~/count; echo theirs > ~/.bashrc' });
    await service.inBox(ada, 'true');
    const set = await service.spoonctl(ada, ['dotfiles', 'repo', 'set', url]);
    assert.equal(set.code, 0, set.stdout);
    const sent = git.sentBytes;
    for (let restart = 0; restart < 20; restart++) {
      const stopped = await service.spoonctl(ada, ['box', 'stop']);
      assert.equal(stopped.code, 0, stopped.stderr);
      assert.equal(await service.inBox(ada, 'cat', 'count', '.bashrc'), 'x\n# overlay');
    }
    const asked = git.requests.filter((request) => request.startsWith('POST'));
    assert.ok(git.sentBytes - sent < 64 * 1024, `${git.sentBytes - sent} bytes, ${asked.length} requests`);
  });
});
