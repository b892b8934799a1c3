import assert from 'node:assert/strict';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { TestRepository } from './testRepository.fixture.ts';

describe('one file of an earlier generation', () => {
  it('is in the checkout again, the rest untouched, and what was changed by hand kept and said', async () => {
    await using at = await TestRepository.start();
    const back = (commit: string, path: string) =>
      at.box.request('POST', '/v1/repository/roll-back-file', { commit, path });
    const first = at.publish('dots', { '.vimrc': 'one\n', '.inputrc': 'one\n', '.gone': 'one\n', 'a b/[c]': 'one\n' });
    assert.equal((await at.run('dots')).state, 'ok');
    const second = at.publish('dots', { '.vimrc': 'two\n', '.inputrc': 'two\n', 'a b/[c]': 'two\n', 'a b/c': 'two\n' });
    assert.equal((await at.run('dots', { commit: second })).state, 'ok');

    const plain = await back(first, '.vimrc');
    assert.match(
      plain.json<{ notes: string[] }>().notes.join(' '),
      /^~\/\.dotfiles\/\.vimrc is as that generation had it/,
    );
    assert.deepEqual(
      ['.vimrc', '.inputrc'].map((path) => at.read(path)),
      ['one\n', 'two\n'],
    );
    assert.match(String((await back(first, '.dotfiles/.vimrc')).body), /like that already/);

    writeFileSync(at.home('.dotfiles/.inputrc'), 'by hand\n');
    const [, kept = ''] = /~\/(\.spoon\/backup\/\S+) now/.exec(String((await back(first, '.inputrc')).body)) ?? [];
    assert.deepEqual([at.read('.inputrc'), at.read(kept)], ['one\n', 'by hand\n']);

    assert.equal((await back(first, '.gone')).status, 200);
    assert.equal(at.read('.gone'), 'one\n', 'also linked into the home again');
    assert.equal((await back(first, 'a b/[c]')).status, 200);
    assert.deepEqual(
      ['[c]', 'c'].map((name) => at.read(`.dotfiles/a b/${name}`)),
      ['one\n', 'two\n'],
    );
    symlinkSync('.dotfiles/a b/c', at.home('.linked'));
    assert.equal((await back(second, '.linked')).status, 200, 'by a link that leads there');
    assert.deepEqual(readdirSync(at.home('.spoon/backup')).length, 1, 'nothing else had to be kept');

    for (const [path, status] of [
      ['../outside', 422],
      ['/etc/passwd', 422],
      ['.nowhere', 404],
      ['a b', 404],
    ] as const) {
      assert.equal((await back(first, path)).status, status, path);
    }
    assert.equal((await back('f'.repeat(40), '.vimrc')).status, 404);
    const updated = await at.run('dots', { commit: at.publish('dots', { '.vimrc': 'three\n' }) });
    assert.match(updated.notes.join(), /kept there as the branch/);
    assert.equal(at.read('.vimrc'), 'three\n');
  });
});
