import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import { RunningService } from '../runningService.ts';

const canaries = ['canary-prompt-11', 'canary-branch-33', 'canary-subject-44'];

/** Runs a job whose prompt, branch and commit can be told, and looks for them in what is stored and logged. */
async function searchAfterJob(imports: readonly string[]): Promise<{ stored: string[]; logged: string[] }> {
  await using server = await GitServer.start();
  const caFile = join(server.folder, 'authorities.pem');
  await writeFile(caFile, server.ca);
  await using service = await RunningService.start({
    engine: 'process',
    imports,
    environment: { SPOON_GIT_HOSTS: server.host, SPOON_CA_FILE: caFile, SPOON_AGENT_COMMAND: 'sh -c {prompt}' },
  });
  const ada = await service.addUser('Ada');
  server.repository('api');
  const run = async (...args: string[]) => {
    const done = await service.spoonctl(ada, args);
    assert.equal(done.code, 0, done.stderr);
  };
  await run('threads', 'new', 'api', 'canary-branch-33', '--new', '--url', server.url('api.git'));
  const commit = 'git -c user.name=a -c user.email=a@b commit -qm canary-subject-44';
  const prompt = `: canary-prompt-11; echo x > x.txt; git add .; ${commit}`;
  await run('jobs', 'run', 'api/canary-branch-33', '--follow', prompt);
  const names = (await readdir(service.workdir)).filter((name) => name.startsWith('spoon.db'));
  const files = await Promise.all(names.map((name) => readFile(join(service.workdir, name))));
  assert.ok(
    files.some((bytes) => bytes.includes('succeeded')),
    'the state is visible, so the search reads what is stored',
  );
  return {
    stored: canaries.filter((canary) => files.some((bytes) => bytes.includes(canary))),
    logged: canaries.filter((canary) => service.log.includes(canary)),
  };
}

describe('what is stored of a job', { timeout: 300_000 }, () => {
  it('holds no prompt, branch or commit in clear, nor does the log of the service', async () => {
    assert.deepEqual(await searchAfterJob([]), { stored: [], logged: [] });
  });

  it('would be found if the encryption were off', async () => {
    const { stored } = await searchAfterJob(['./test/fixtures/encryptionOff.fixture.ts']);
    assert.deepEqual(stored, canaries);
  });
});
