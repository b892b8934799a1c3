import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Spoon } from '../../protocol/threads.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

describe('spoons', () => {
  let side: TestHttpSide;
  let ada: string;
  let bo: string;
  before(async () => {
    side = await TestHttpSide.start();
    const tokenOf = async (username: string) => {
      const path = `/v1/admin/users/${username}/tokens`;
      return String((await operatorCall(side.adminSocket, 'POST', path, { name: 'test' })).body.token);
    };
    [ada, bo] = await Promise.all([tokenOf('ada'), tokenOf('bo')]);
  });
  after(() => side[Symbol.asyncDispose]());

  const refusal = async (token: string, method: string, path: string, body?: unknown) => {
    const response = await side.call(method, path, token, body);
    const { code, detail } = (await response.json()) as { code: string; detail?: string };
    return { status: response.status, code, detail };
  };
  const spoonsOf = async (token: string) => (await side.json<{ spoons: Spoon[] }>('GET', '/v1/spoons', token)).spoons;

  it('are made from an address, named after it, listed by name, and forgotten', async () => {
    const made = await side.json<Spoon>('POST', '/v1/spoons', ada, { url: 'https://git.example.org/team/web.git' });
    assert.equal(made.name, 'web');
    await side.json('POST', '/v1/spoons', ada, { name: 'api', url: 'https://git.example.org/a', defaultBranch: 'dev' });
    const spoons = await spoonsOf(ada);
    assert.deepEqual(
      spoons.map(({ name, url, defaultBranch, threads }) => ({ name, url, defaultBranch, threads })),
      [
        { name: 'api', url: 'https://git.example.org/a', defaultBranch: 'dev', threads: 0 },
        { name: 'web', url: 'https://git.example.org/team/web.git', defaultBranch: null, threads: 0 },
      ],
    );
    assert.deepEqual(await spoonsOf(bo), []);
    for (const { id } of spoons) await side.json('DELETE', `/v1/spoons/${id}`, ada);
    assert.deepEqual(await spoonsOf(ada), []);
  });

  it('are refused with a stable code, and the address is not said again', async () => {
    const cases: [body: Record<string, string>, code: string][] = [
      [{ url: 'https://user:hunter2@git.example.org/a' }, 'url-credentials'],
      [{ url: 'https://127.0.0.1/a' }, 'url-host'],
      [{ url: '--upload-pack=touch x' }, 'url-invalid'],
      [{ url: 'file:///etc' }, 'url-scheme'],
      [{ name: '../x', url: 'https://git.example.org/a' }, 'spoon-name-invalid'],
      [{ url: 'https://git.example.org/a', defaultBranch: '-x' }, 'branch-invalid'],
    ];
    for (const [body, code] of cases) {
      const problem = await refusal(ada, 'POST', '/v1/spoons', body);
      assert.deepEqual([problem.status, problem.code], [422, code]);
    }
    assert.ok(!side.logLines.join('').includes('hunter2'));
    assert.deepEqual(await spoonsOf(ada), []);
  });

  it('have one name each, also when ten windows make it at once', async () => {
    const body = { name: 'one', url: 'https://git.example.org/one' };
    const answers = await Promise.all(Array.from({ length: 10 }, () => side.call('POST', '/v1/spoons', ada, body)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(9).fill(409)]);
    const [spoon] = await spoonsOf(ada);
    assert.ok(spoon);
    assert.equal((await refusal(bo, 'DELETE', `/v1/spoons/${spoon.id}`)).code, 'not-found');
    await side.json('DELETE', `/v1/spoons/${spoon.id}`, ada);
  });

  it('are sealed: neither name, address nor branch is in the database or the log', async () => {
    const spoon = await side.json<Spoon>('POST', '/v1/spoons', ada, {
      name: 'canary-name',
      url: 'https://canary-host.example/canary-path',
      defaultBranch: 'canary-branch',
    });
    const rows = JSON.stringify(await side.store.db.selectFrom('spoons').selectAll().execute());
    const bytes = (await side.store.db.selectFrom('spoons').selectAll().execute()).map(({ head_enc }) =>
      Buffer.from(head_enc).toString('latin1'),
    );
    assert.doesNotMatch(rows + bytes.join() + side.logLines.join(), /canary/);
    await side.json('DELETE', `/v1/spoons/${spoon.id}`, ada);
  });

  it('whose row was changed is left out, and the others go on', async () => {
    const url = 'https://git.example.org/x';
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => side.json<Spoon>('POST', '/v1/spoons', ada, { name, url: `${url}/${name}` })),
    );
    assert.ok(one && two);
    const { db } = side.store;
    const row = await db.selectFrom('spoons').selectAll().where('id', '=', one.id).executeTakeFirstOrThrow();
    const other = await db.selectFrom('spoons').selectAll().where('id', '=', two.id).executeTakeFirstOrThrow();
    const changes = [
      { head_enc: other.head_enc },
      { version: row.version + 1 },
      { head_enc: Buffer.from(row.head_enc).fill(0, 40, 41) },
    ];
    for (const change of changes) {
      await db.updateTable('spoons').set(change).where('id', '=', one.id).execute();
      assert.deepEqual(
        (await spoonsOf(ada)).map(({ name }) => name),
        ['two'],
      );
      await db.updateTable('spoons').set(row).where('id', '=', one.id).execute();
    }
    for (const { id } of [one, two]) await side.json('DELETE', `/v1/spoons/${id}`, ada);
  });
});
