import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentialUse } from '../../protocol/repositoryCredential.ts';
import { SealingBench, seal } from '../secrets/sealing.fixture.ts';
import type { Store } from '../store/database.ts';
import { RepositoryCredentials } from './repositoryCredentials.ts';
import { RepositoryRecords } from './repositoryRecords.ts';

const url = 'https://github.com/ada/dotfiles';

describe('the credential of a repository', () => {
  it('is whole or gone, whatever of setting and removing it comes between the steps of the other', async (t) => {
    for (const first of ['set', 'remove'] as const) {
      const bench = await SealingBench.open(t);
      let between: (() => Promise<void>) | undefined;
      // After each step that is written, once: the other one from its beginning to its end.
      const store: Store = {
        ...bench.store,
        transaction: async (work) => {
          const done = await bench.store.transaction(work);
          const run = between;
          between = undefined;
          await run?.();
          return done;
        },
      };
      const { keyring, values: sealedValues } = bench;
      const records = new RepositoryRecords({ store, keyring });
      const credentials = new RepositoryCredentials({ records, sealedValues, now: () => 1 });
      const use = credentialUse('token', 'github.com');
      const put = async (text: string) => {
        const sealed = (await seal(await sealedValues.key('ada'), use, text)).toString('base64');
        await credentials.set('ada', { kind: 'token', host: 'github.com', sealed });
      };
      await put('token-of-before');
      if (first === 'remove') {
        between = () => put('token-of-after');
        await credentials.remove('ada');
        const opened = await credentials.open('ada', url);
        assert.equal(opened?.kind === 'token' && opened.token, 'token-of-after');
      } else {
        between = () => credentials.remove('ada');
        await put('token-of-after');
        assert.equal(await credentials.open('ada', url), undefined);
        assert.equal(await bench.text('ada', use), undefined);
      }
    }
  });

  it('is opened as it was at one time, however often it is set and removed meanwhile', async (t) => {
    const { store, keyring, values: sealedValues } = await SealingBench.open(t);
    const records = new RepositoryRecords({ store, keyring });
    const credentials = new RepositoryCredentials({ records, sealedValues, now: () => 1 });
    const sealed = await seal(await sealedValues.key('ada'), credentialUse('token', 'github.com'), 'token');
    let isDone = false;
    const change = async () => {
      for (let count = 0; count < 50; count++) {
        await credentials.set('ada', { kind: 'token', host: 'github.com', sealed: sealed.toString('base64') });
        await credentials.remove('ada');
      }
      isDone = true;
    };
    const open = async () => {
      const seen = new Set<string | undefined>();
      while (!isDone) {
        const opened = await credentials.open('ada', url);
        seen.add(opened?.kind === 'token' ? opened.token : undefined);
      }
      return seen;
    };
    const [, seen] = await Promise.all([change(), open()]);
    assert.deepEqual(
      [...seen].filter((value) => value !== undefined && value !== 'token'),
      [],
    );
  });

  it('that is only offered is opened for a look, and replaces nothing', async (t) => {
    const { store, keyring, values: sealedValues } = await SealingBench.open(t);
    const records = new RepositoryRecords({ store, keyring });
    const credentials = new RepositoryCredentials({ records, sealedValues, now: () => 1 });
    const use = credentialUse('token', 'github.com');
    const offered = async (text: string) => {
      const sealed = (await seal(await sealedValues.key('ada'), use, text)).toString('base64');
      return { kind: 'token', host: 'github.com', sealed } as const;
    };
    await credentials.set('ada', await offered('old'));
    const looked = await credentials.look('ada', url, await offered('new'));
    assert.deepEqual(looked, { kind: 'token', host: 'github.com', username: 'git', token: 'new' });
    const kept = await credentials.open('ada', url);
    assert.equal(kept?.kind === 'token' && kept.token, 'old');
    await assert.rejects(credentials.look('ada', 'https://gitlab.com/a/b', await offered('new')), {
      code: 'credential-invalid',
    });
  });
});
