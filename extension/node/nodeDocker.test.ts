import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nodeDocker } from './nodeDocker.ts';

// Scripts in the place of the docker command; with the real one in test/end-to-end/attachToContainer.test.ts.
describe('the Docker of this machine', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-docker-command-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function ask(inspect: string, context = 'echo default', timeoutMs = 20_000) {
    const program = join(folder, `docker-${crypto.randomUUID()}`);
    await writeFile(program, `#!/bin/sh\nif [ "$1" = context ]; then ${context}; else ${inspect}; fi\n`, {
      mode: 0o755,
    });
    return nodeDocker.find({ containerId: 'c0ffee', program, timeoutMs });
  }

  it('has the container that was asked for, by its own name', async () => {
    assert.deepEqual(await ask('[ "$*" = "container inspect --format {{.Name}} c0ffee" ] && echo /spoon-box-ada'), {
      found: 'here',
      name: 'spoon-box-ada',
    });
  });

  it('tells the context that is in use, unless it is the default one or there are none', async () => {
    assert.deepEqual(await ask('echo /box', 'echo desktop-linux'), {
      found: 'here',
      name: 'box',
      context: 'desktop-linux',
    });
    assert.deepEqual(await ask('echo box', 'exit 125'), { found: 'here', name: 'box' });
  });

  it('does not have it', async () => {
    for (const text of ['Error response from daemon: No such container: c0ffee', 'Error: no such container c0ffee']) {
      assert.deepEqual(await ask(`echo '${text}' >&2; exit 1`), { found: 'elsewhere' });
    }
  });

  it('does not answer: refused, hanging, or with something else', async () => {
    const refused = "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1";
    assert.deepEqual(await ask(refused), { found: 'no-answer' });
    assert.deepEqual(await ask('exec sleep 600', 'exec sleep 600', 300), { found: 'no-answer' });
    assert.deepEqual(await ask("echo 'a name; with more'"), { found: 'no-answer' });
  });

  it('is not there', async () => {
    const program = join(folder, 'nothing');
    assert.deepEqual(await nodeDocker.find({ containerId: 'c0ffee', program, timeoutMs: 20_000 }), {
      found: 'no-program',
    });
  });
});
