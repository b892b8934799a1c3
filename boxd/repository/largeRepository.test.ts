import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { maxRepositoryFiles } from '../../protocol/limits.ts';
import { git } from '../testing/gitServer.ts';
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

  it('is not written where a small pack holds large files, or very many; told, with nothing left behind', async () => {
    await using at = await TestRepository.start();
    const zeros = '\0'.repeat(4 * mebi);
    const before = at.publish('expands', { '.rc': 'one\n' });
    assert.equal((await at.run('expands', { commit: before, maxBytes: 8 * mebi })).state, 'ok');
    const commit = at.publish('expands', { '.rc': 'two\n', a: zeros, b: zeros, c: zeros });
    const sent = at.server.sentBytes;
    const updated = await at.run('expands', { commit, maxBytes: 8 * mebi });
    assert.ok(at.server.sentBytes - sent < mebi, 'it is the files that are large, and not what is fetched');
    assert.match(
      updated.stages[0]?.detail ?? '',
      /larger than Spoon fetches\. It has more than 8 MiB of files\. None was/,
    );
    assert.equal(at.read('.dotfiles/.rc'), 'one\n');
    const looked = await at.box.request(
      'POST',
      '/v1/repository/preview',
      at.request('expands', { maxBytes: 8 * mebi }),
    );
    assert.match(String(looked.body), /repository-too-large/);
    const work = join(at.server.folder, 'work', 'expands');
    const blob = git(work, 'rev-parse', 'HEAD:.rc');
    const input = Array.from({ length: maxRepositoryFiles + 1 }, (_, index) => `100644 blob ${blob}\tf${index}\n`);
    const tree = execFileSync('git', ['mktree'], { cwd: work, input: input.join(''), encoding: 'utf8' }).trim();
    git(
      work,
      'push',
      '--quiet',
      '--force',
      'origin',
      `${git(work, 'commit-tree', '-m', 'many', tree)}:refs/heads/many`,
    );
    const many = await at.run('expands', { ref: 'many', url: `${at.server.url('expands')}` });
    assert.match(many.stages[0]?.detail ?? '', /It has more than 100000 files/);
    assert.equal(at.read('.dotfiles/.rc'), 'one\n');
    assert.deepEqual(
      readdirSync(at.home('.spoon')).filter((name) => name.startsWith('clone-')),
      [],
    );
  });
});
