import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { TestRepository } from './testRepository.fixture.ts';

const mebi = 1024 * 1024;

describe('a repository that is larger than it may be', () => {
  it('is ended while it is fetched, told, and leaves nothing behind; an update of one too', async () => {
    await using at = await TestRepository.start();
    const large = randomBytes(8 * mebi).toString('latin1');
    at.publish('large', { '.rc': 'one\n', large });
    const run = await at.run('large', { maxBytes: mebi });
    assert.equal(run.state, 'failed');
    assert.match(run.stages[0]?.detail ?? '', /larger than Spoon fetches. It was ended at 1 MiB/);
    assert.ok(!existsSync(at.home('.dotfiles')));
    assert.deepEqual(
      readdirSync(at.home('.spoon')).filter((name) => name.startsWith('clone-')),
      [],
    );
    const first = at.publish('grows', { '.rc': 'one\n' });
    assert.equal((await at.run('grows', { commit: first, maxBytes: mebi })).state, 'ok');
    const second = at.publish('grows', { '.rc': 'two\n', large });
    const grown = await at.run('grows', { commit: second, maxBytes: mebi });
    assert.match(grown.stages[0]?.detail ?? '', /larger than Spoon fetches/);
    assert.equal(at.read('.rc'), 'one\n');
  });
});
