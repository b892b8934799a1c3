import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { RunningService } from '../runningService.ts';

const contentCanary = 'canary-content-7f3a';
const pathCanary = 'canary-path-91bd';
const nameCanary = 'Canaryname';

interface Found {
  readonly inFiles: Set<string>;
  readonly inLog: Set<string>;
}

/** Works as a person does, with contents, paths, a name and a token that can be told, and looks for them on disk and in the log. */
async function searchAfterWork(imports: readonly string[]): Promise<Found> {
  await using service = await RunningService.start({
    engine: 'process',
    imports,
  });
  const ada = await service.addUser(`Ada ${nameCanary}`);
  await service.put(ada, `.config/${pathCanary}/file`, `${contentCanary}\n`);
  await service.put(ada, `.config/${pathCanary}/file`, `${contentCanary} again\n`);
  await service.spoonctl(ada, ['dotfiles', 'mv', `.config/${pathCanary}/file`, `.config/${pathCanary}/other`]);
  await service.spoonctl(ada, ['dotfiles', 'get', `.config/${pathCanary}/missing`]);
  assert.equal(await service.inBox(ada, 'cat', `.config/${pathCanary}/other`), `${contentCanary} again`);
  await service.fetch(ada, `/v1/dotfiles?token=${ada.token}`);
  const tokenCanary = ada.token.split('_')[3] ?? '';
  const canaries = [contentCanary, pathCanary, nameCanary, tokenCanary];
  const label = (canary: string) => (canary === tokenCanary ? 'token' : canary);

  const names = (await readdir(service.workdir)).filter((name) => name.startsWith('spoon.db'));
  assert(names.includes('spoon.db') && names.includes('spoon.db-wal'), `the store is where this looks: ${names}`);
  const files = await Promise.all(names.map((name) => readFile(join(service.workdir, name))));
  assert(
    files.some((bytes) => bytes.includes(ada.username)),
    'usernames are visible, so the search does read what is stored',
  );
  assert(service.log.includes('/v1/dotfiles/content'), 'the log has the requests');
  return {
    inFiles: new Set(canaries.filter((canary) => files.some((bytes) => bytes.includes(canary))).map(label)),
    inLog: new Set(canaries.filter((canary) => service.log.includes(canary)).map(label)),
  };
}

describe('what is on disk and in the log', () => {
  it('holds no content, path, display name or token in clear', async () => {
    const { inFiles, inLog } = await searchAfterWork([]);
    assert.deepEqual([...inFiles], []);
    assert.deepEqual([...inLog], []);
  });

  it('would be found by this test if the encryption were off', async () => {
    const { inFiles } = await searchAfterWork(['./test/fixtures/encryptionOff.fixture.ts']);
    assert.deepEqual([...inFiles].sort(), [nameCanary, contentCanary, pathCanary].sort());
  });
});
