import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { adminScopes, userScopes } from '../../protocol/scopes.ts';
import { formatToken, randomBase62 } from '../../protocol/tokenFormat.ts';
import { Tokens } from '../../service/identity/tokens.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

type Who = 'none' | 'garbage' | 'unknown' | 'user' | 'admin' | 'operator' | 'expired' | 'revoked' | 'disabled';

/** What each route answers to whom, before anything else of a request is looked at. */
function expected(route: Route, who: Who): number | 'admitted' {
  if (route.scope === 'public') return 'admitted';
  if (route.scope === 'ticket') return 426;
  if (who === 'disabled') return 403;
  if (!['user', 'admin', 'operator'].includes(who)) return 401;
  if (route.scope === 'signed-in') return 'admitted';
  const scopes: readonly string[] = who === 'user' ? userScopes : adminScopes;
  return scopes.includes(route.scope) ? 'admitted' : 403;
}

describe('who may do what', () => {
  let side: TestHttpSide;
  const tokens = new Map<Who, string | undefined>();
  let boToken: string;
  before(async () => {
    side = await TestHttpSide.start();
    const create = async (username: string, name: string) => {
      const path = `/v1/admin/users/${username}/tokens`;
      const { body } = await operatorCall(side.adminSocket, 'POST', path, { name });
      return body as { token: string; info: { id: string } };
    };
    const admin = await operatorCall(side.adminSocket, 'POST', '/v1/admin/tokens', { name: 'ops' });
    const revoked = await create('ada', 'lost');
    const dis = await side.users.create({ displayName: 'Dis' });
    tokens.set('none', undefined);
    tokens.set('garbage', 'spn_u_not-a-token');
    tokens.set(
      'unknown',
      formatToken({ kind: 'u', id: randomBase62(12, randomBytes), secret: randomBase62(43, randomBytes) }),
    );
    tokens.set('user', (await create('ada', 'laptop')).token);
    tokens.set('admin', String(admin.body.token));
    tokens.set('expired', await createExpired());
    tokens.set('revoked', revoked.token);
    tokens.set('disabled', (await create('dis', 'x')).token);
    boToken = (await create('bo', 'x')).token;
    await side.store.db.updateTable('users').set({ disabled_ms: 1 }).where('id', '=', dis.id).execute();
    await operatorCall(side.adminSocket, 'DELETE', `/v1/admin/tokens/${revoked.info.id}`);
  });
  /** By a service whose clock stood at 1970: the date in the database cannot be changed without the key. */
  async function createExpired(): Promise<string> {
    const ada = await side.users.byName('ada');
    assert.ok(ada);
    const { store, keyring } = side;
    const old = new Tokens({
      store,
      keyring,
      onRevoked: () => undefined,
      onError: (error) => assert.fail(String(error)),
      now: () => 0,
    });
    return (await old.create({ ownerId: ada.id, kind: 'user', name: 'old' })).token;
  }
  after(() => side[Symbol.asyncDispose]());

  /** From an address of its own: refused tokens are counted by address, and there are more routes than one may try. */
  async function statusFrom(
    localAddress: string,
    call: { method: string; path: string; token: string | undefined; body: unknown },
  ) {
    const sentBody = call.body === undefined ? '' : JSON.stringify(call.body);
    const headers: Record<string, string | number> = { 'content-length': Buffer.byteLength(sentBody) };
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    if (call.token !== undefined) headers.authorization = `Bearer ${call.token}`;
    const sent = request(`${side.url}${call.path}`, { method: call.method, headers, localAddress, agent: false });
    sent.end(sentBody);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    return response.statusCode ?? 0;
  }

  for (const [index, [name, route]] of (Object.entries(routes) as [string, Route][]).entries()) {
    it(`${name} (${route.scope})`, async () => {
      const path = route.path.replace(':username', 'nobody-here').replace(/:\w+/, 'x'.repeat(22));
      // A body and a query that no route takes: who is admitted gets 422 and changes nothing.
      const body = route.method === 'GET' ? undefined : { 'no such field': 1 };
      for (const who of [...tokens.keys(), 'operator' as const]) {
        const wanted = expected(route, who);
        const status =
          who === 'operator'
            ? (await operatorCall(side.adminSocket, route.method, `${path}?nothing=1`, body)).status
            : await statusFrom(`127.0.1.${index + 1}`, {
                method: route.method,
                path: `${path}?nothing=1`,
                token: tokens.get(who),
                body,
              });
        if (wanted === 'admitted') assert.ok([415, 422].includes(status), `${who}: ${status}`);
        else assert.equal(status, wanted, who);
      }
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

  it('another user’s token, terminal and file are as absent as random ones', async () => {
    const token = tokens.get('user');
    const { tokens: own } = await side.json<{ tokens: { id: string; name: string }[] }>('GET', '/v1/tokens', token);
    const mine = own.find(({ name }) => name === 'laptop');
    assert.ok(mine);
    await side.json('PUT', '/v1/dotfiles/content?path=.secret', token, Buffer.from('canary'));
    const opened = await side.json<{ terminal: { id: string } }>('POST', '/v1/terminals', token, {});
    const asBo = async (method: string, path: string, body?: unknown) => {
      const response = await side.call(method, path, boToken, body);
      const { instance, ...problem } = (await response.json()) as Record<string, unknown>;
      return JSON.stringify(problem);
    };
    const random = randomBase62(22, randomBytes);
    assert.equal(await asBo('DELETE', `/v1/tokens/${mine.id}`), await asBo('DELETE', '/v1/tokens/xxxxxxxxxxxx'));
    assert.equal(
      await asBo('DELETE', `/v1/terminals/${opened.terminal.id}`),
      await asBo('DELETE', `/v1/terminals/${random}`),
    );
    assert.equal(
      await asBo('POST', '/v1/tickets', { kind: 'terminal', id: opened.terminal.id }),
      await asBo('POST', '/v1/tickets', { kind: 'terminal', id: random }),
    );
    assert.equal(
      await asBo('GET', '/v1/dotfiles/content?path=.secret'),
      await asBo('GET', '/v1/dotfiles/content?path=.nothing'),
    );
    // Also with a box of one's own, in which the id means nothing.
    await side.json('POST', '/v1/box/start', boToken);
    assert.match(await asBo('DELETE', `/v1/terminals/${opened.terminal.id}`), /"not-found"/);
    const { terminals } = await side.json<{ terminals: unknown[] }>('GET', '/v1/terminals', boToken);
    assert.deepEqual(terminals, []);
    await side.json('DELETE', `/v1/terminals/${opened.terminal.id}`, token);
  });

  it('keeps tokens, paths and contents out of the log', async () => {
    const log = side.logLines.join('');
    for (const token of tokens.values()) if (token !== undefined) assert.ok(!log.includes(token));
    assert.ok(!log.includes('.secret') && !log.includes('canary'));
    assert.ok(log.includes('"route":"/v1/dotfiles/content"'));
  });
});
