import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sealValue } from '../../client/sealing.ts';
import type { RepositoryState } from '../../protocol/repository.ts';
import { credentialUse } from '../../protocol/repositoryCredential.ts';
import type { SealKey } from '../../protocol/sealKeys.ts';
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

  describe('with the token of a private repository', () => {
    const host = 'git.example.org';
    const offered = async (text: string) => {
      const key = await side.json<SealKey>('GET', '/v1/me/seal-key', ada);
      return {
        kind: 'token',
        host,
        sealed: await sealValue(key, credentialUse('token', host), Buffer.from(text)),
      };
    };
    const values = () => side.store.db.selectFrom('sealed_values').selectAll().execute();

    it('are taken together, or neither is', async () => {
      await side.json('PUT', path, ada, { url, credential: await offered('old-token') });
      const [before, stored] = [await side.json<RepositoryState>('GET', path, ada), await values()];
      assert.equal(before.credential?.host, host);
      const credential = await offered('new-token');
      for (const [body, code] of [
        [{ url: 'https://10.1.2.3/a', credential: { ...credential, host: '10.1.2.3' } }, 'url-host'],
        [{ url, ref: 'a..b', credential }, 'ref-invalid'],
        [{ url: 'https://github.com/ada/x', credential }, 'credential-invalid'],
        [{ url: 'https://github.com/ada/x', credential: { ...credential, host: 'github.com' } }, 'seal-invalid'],
        [{ url, ref: 'work', credential: await offered('two words') }, 'credential-invalid'],
      ] as const) {
        const response = await side.call('PUT', path, ada, body);
        assert.equal(((await response.json()) as { code: string }).code, code);
        assert.deepEqual(await side.json<RepositoryState>('GET', path, ada), before);
        assert.deepEqual(await values(), stored);
      }
    });

    it('keep it until it is said to be public', async () => {
      const kept = await side.json<RepositoryState>('PUT', path, ada, { url, ref: 'work' });
      assert.equal(kept.credential?.host, host);
      const open = await side.json<RepositoryState>('PUT', path, ada, { url, ref: 'work', credential: null });
      assert.deepEqual([open.credential, await values()], [undefined, []]);
    });
  });

  it('say that there is nothing to run', async () => {
    const response = await side.call('POST', `${path}/run`, bo, {});
    assert.equal(((await response.json()) as { code: string }).code, 'repository-none');
  });
});
