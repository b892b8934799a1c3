import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { RepositoryState } from '../../protocol/repository.ts';
import { TestHttpSide } from '../fixtures/httpSide.fixture.ts';

const path = '/v1/environment/repository';

describe('the settings of the dotfiles repository', () => {
  let side: TestHttpSide;
  let ada: string;
  let bo: string;
  before(async () => {
    side = await TestHttpSide.start();
    [ada, bo] = await Promise.all([side.tokenOf('ada'), side.tokenOf('bo')]);
  });
  after(() => side[Symbol.asyncDispose]());

  it('are kept sealed, for their owner alone, and forgotten', async () => {
    const body = { url: 'octo/dotfiles', ref: 'work', setup: 'script/box' };
    const state = await side.json<RepositoryState>('PUT', path, ada, body);
    assert.deepEqual(state.settings, {
      url: 'https://github.com/octo/dotfiles',
      ref: 'work',
      setup: 'script/box',
      manager: null,
      always: false,
      enabled: true,
    });
    assert.deepEqual((await side.json<RepositoryState>('GET', path, ada)).settings, state.settings);
    assert.equal((await side.json<RepositoryState>('GET', path, bo)).settings, null);
    const [row] = await side.store.db.selectFrom('environments').selectAll().execute();
    assert.ok(row && !Buffer.from(row.settings_enc).includes('octo'));
    await side.json('DELETE', path, ada);
    assert.equal((await side.json<RepositoryState>('GET', path, ada)).settings, null);
  });

  const url = 'https://git.example.org/a';
  const refused: [body: Record<string, unknown>, code: string][] = [
    [{ url: 'https://user:hunter2@git.example.org/a' }, 'url-credentials'],
    [{ url: 'https://169.254.169.254/a' }, 'url-host'],
    [{ url: 'https://2852039166/a' }, 'url-host'],
    [{ url: '--upload-pack=touch x' }, 'url-invalid'],
    [{ url: 'ext::sh -c id' }, 'url-scheme'],
    [{ url: 'git@host:a/b' }, 'url-host'],
    [{ url, ref: '--upload-pack=x' }, 'ref-invalid'],
    [{ url, ref: 'a..b' }, 'ref-invalid'],
    [{ url, ref: 'refs/../..' }, 'ref-invalid'],
    [{ url, setup: '../x' }, 'setup-path-invalid'],
    [{ url, setup: '/etc/passwd' }, 'setup-path-invalid'],
    [{ url, setup: '.git/hooks/x' }, 'setup-path-invalid'],
    [{ url, manager: 'rm -rf' }, 'request-invalid'],
    [{ url, command: 'x' }, 'unknown-field'],
  ];
  for (const [body, code] of refused) {
    it(`refuse ${JSON.stringify(body)}`, async () => {
      const response = await side.call('PUT', path, ada, body);
      assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [422, code]);
      assert.ok(!side.logLines.join('').includes('hunter2'));
    });
  }

  it('say that there is nothing to run', async () => {
    const response = await side.call('POST', `${path}/run`, ada, {});
    assert.equal(((await response.json()) as { code: string }).code, 'repository-none');
  });
});
