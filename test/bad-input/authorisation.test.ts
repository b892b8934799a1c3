import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { CredentialsMatrix } from '../fixtures/credentialsMatrix.fixture.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { OtherUserMatrix } from '../fixtures/otherUserMatrix.fixture.ts';

describe('who may do what', () => {
  let side: TestHttpSide;
  let matrix: CredentialsMatrix;
  let tokens: CredentialsMatrix['tokens'];
  before(async () => {
    side = await TestHttpSide.start();
    matrix = await CredentialsMatrix.of(side);
    tokens = matrix.tokens;
  });
  after(() => side[Symbol.asyncDispose]());

  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    it(`${name} (${route.scope})`, async () => {
      for await (const { who, status, wanted } of matrix.holesOf(route)) assert.equal(status, wanted, who);
    });
  }

  it('an expired token is told so, and only that one', async () => {
    const codes = await Promise.all(
      (['expired', 'revoked', 'unknown', 'garbage'] as const).map(async (who) => {
        const problem = (await (await side.call('GET', '/v1/me', tokens.get(who))).json()) as { code: string };
        return problem.code;
      }),
    );
    assert.deepEqual(codes, ['token-expired', 'unauthenticated', 'unauthenticated', 'unauthenticated']);
  });

  it('who tries secrets for an id is soon held back, and the owner is not (row 49)', async () => {
    const agent = new Agent({ localAddress: '127.0.3.1', keepAlive: true, maxSockets: 8 });
    const statusWith = async (token = '') => {
      const headers = { authorization: `Bearer ${token}` };
      const [response] = (await once(get(`${side.url}/v1/me`, { agent, headers }), 'response')) as [IncomingMessage];
      await text(response);
      return response.statusCode;
    };
    const statuses = await Promise.all(Array.from({ length: 1_000 }, () => statusWith(tokens.get('forged'))));
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);
    assert.equal(await statusWith(tokens.get('user')), 200);
    agent.destroy();
  });

  it('admins and the operator have no contents, also where any token is enough', async () => {
    for (const path of ['/v1/box', '/v1/tickets']) {
      const method = path === '/v1/box' ? 'GET' : 'POST';
      const body = method === 'POST' ? { kind: 'events' } : undefined;
      assert.equal((await side.call(method, path, tokens.get('admin'), body)).status, 403);
      assert.equal((await operatorCall(side.adminSocket, method, path, body)).status, 403);
    }
    const me = await side.json('GET', '/v1/me', tokens.get('admin'));
    assert.deepEqual([me.kind, me.user], ['admin', null]);
    const operator = await operatorCall(side.adminSocket, 'GET', '/v1/me');
    assert.equal(operator.body.kind, 'operator');
  });

  it('a user makes no admin token, by no way', async () => {
    const body = { name: 'x', kind: 'admin' };
    assert.equal((await side.call('POST', '/v1/tokens', tokens.get('user'), body)).status, 403);
    const path = '/v1/admin/users/ada/tokens';
    assert.equal((await side.call('POST', path, tokens.get('admin'), body)).status, 403);
  });

  it('an administrator makes no token for anybody, which would read what the user may or outlive the administrator', async () => {
    for (const path of ['/v1/admin/users/ada/tokens', '/v1/admin/tokens']) {
      const answer = await side.call('POST', path, tokens.get('admin'), { name: 'x' });
      assert.equal(answer.status, 403);
      assert.equal(((await answer.json()) as { code: string }).code, 'insufficient-scope');
    }
  });

  it('keeps tokens, paths and contents out of the log', async () => {
    await side.json('PUT', '/v1/dotfiles/content?path=.secret', tokens.get('user'), Buffer.from('canary'));
    const log = side.logLines.join('');
    for (const token of tokens.values()) if (token !== undefined) assert.ok(!log.includes(token));
    assert.ok(!log.includes('.secret') && !log.includes('canary'));
    assert.ok(log.includes('"route":"/v1/dotfiles/content"'));
  });
});

describe('what is another user’s is as absent as what nobody has', { timeout: 120_000 }, () => {
  let matrix: OtherUserMatrix;
  before(async () => {
    matrix = await OtherUserMatrix.start();
  });
  after(() => matrix[Symbol.asyncDispose]());

  for (const [name, route] of OtherUserMatrix.routes()) {
    it(name, async () => assert.equal(await matrix.holeOf(route), undefined));
  }
});
