import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RunningService } from '../runningService.ts';

const contentCanary = 'canary-content-7f3a';
const pathCanary = 'canary-path-91bd';
const nameCanary = 'Canaryname';

describe('what is on disk and in the log', () => {
  it('holds no content, path, display name or token in clear', async () => {
    await using service = await RunningService.start({ engine: 'process', environment: { SPOON_LOG_LEVEL: 'debug' } });
    const ada = await service.addUser(`Ada ${nameCanary}`);
    await service.put(ada, `.config/${pathCanary}/file`, `${contentCanary}\n`);
    await service.put(ada, `.config/${pathCanary}/file`, `${contentCanary} again\n`);
    await service.spoonctl(ada, ['dotfiles', 'mv', `.config/${pathCanary}/file`, `.config/${pathCanary}/other`]);
    await service.spoonctl(ada, ['dotfiles', 'get', `.config/${pathCanary}/missing`]);
    assert.equal(await service.inBox(ada, 'cat', `.config/${pathCanary}/other`), `${contentCanary} again`);
    await service.fetch(ada, `/v1/dotfiles?token=${ada.token}`);
    const secret = ada.token.split('_')[3] ?? '';
    const canaries = [contentCanary, pathCanary, nameCanary, secret];

    const files = (await readdir(service.workdir)).filter((name) => name.startsWith('spoon.db'));
    assert(
      files.includes('spoon.db') && files.includes('spoon.db-wal'),
      `the store is where this test looks: ${files}`,
    );
    for (const name of files) {
      const bytes = await readFile(join(service.workdir, name));
      for (const canary of canaries) assert.equal(bytes.includes(canary), false, `${canary} is in ${name}`);
      if (name === 'spoon.db-wal')
        assert(bytes.includes(ada.username), 'usernames are visible: the search does find things');
    }
    for (const canary of canaries) assert.equal(service.log.includes(canary), false, `${canary} is in the log`);
    assert(service.log.includes('/v1/dotfiles/content'), 'the log has the requests');
  });
});
