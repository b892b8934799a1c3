import assert from 'node:assert/strict';
import { appendFileSync, existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { RepositoryPreview } from '../../protocol/repository.ts';
import { TestRepository } from './testRepository.fixture.ts';

describe('the preview of a dotfiles repository', () => {
  const previewOf = async (at: TestRepository, name: string, commit: string): Promise<RepositoryPreview> =>
    (await at.box.request('POST', '/v1/repository/preview', at.request(name, { commit }))).json<RepositoryPreview>();

  it('shows what changes in the files, also of a commit that is not fetched, and runs nothing for it', async () => {
    await using at = await TestRepository.start();
    const one = at.publish('dots', { '.rc': 'one\n', '.old': 'gone\n', '.gitattributes': '* diff=evil\n' });
    assert.equal((await at.run('dots', { commit: one })).state, 'ok', await at.log());
    assert.equal((await previewOf(at, 'dots', one)).diff, undefined, 'nothing changes');
    const pwned = at.home('pwned');
    const program = `touch ${pwned}; cat`;
    const configuration = `[diff "evil"]\n\tcommand = ${program}\n\ttextconv = ${program}\n`;
    for (const file of ['.gitconfig', '.dotfiles/.git/config']) appendFileSync(at.home(file), configuration);
    const two = at.publish('dots', { '.rc': 'two\n', '.new': 'new\n', '.gitattributes': '* diff=evil\n' });
    const { diff } = await previewOf(at, 'dots', two);
    assert.ok(diff);
    assert.equal(diff.isCut, false);
    for (const part of ['-one\n+two\n', 'deleted file mode', '-gone\n', 'new file mode', '+new\n'])
      assert.ok(diff.text.includes(part), diff.text);
    assert.equal(at.read('.rc'), 'one\n');
    assert.equal((await at.run('dots', { commit: two })).state, 'ok', await at.log());
    assert.match((await previewOf(at, 'dots', one)).diff?.text ?? '', /-two\n\+one\n/);
    assert.ok(!existsSync(pwned));
  });

  it('is cut where it is long, between two lines', async () => {
    await using at = await TestRepository.start();
    const one = at.publish('long', { '.rc': 'one\n' });
    assert.equal((await at.run('long', { commit: one })).state, 'ok', await at.log());
    const two = at.publish('long', { '.rc': 'a line of text\n'.repeat(20_000), z: `${'z'.repeat(300_000)}\n` });
    const { diff } = await previewOf(at, 'long', two);
    assert.ok(diff?.isCut);
    assert.ok(diff.text.length > 100_000 && diff.text.length <= 128 * 1024, `${diff.text.length}`);
    assert.ok(diff.text.endsWith('\n+a line of text\n'));
  });
});
