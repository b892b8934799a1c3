import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { adminScopes } from '../../protocol/scopes.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

const password = 'correct horse battery';
const canary = 'CANARY7f3a';
const verifier = 'v'.repeat(43);
const asked = {
  redirect_uri: 'http://127.0.0.1:5000/',
  state: 's'.repeat(20),
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  client_name: 'a program',
  kind: 'admin',
};

describe('a user who is an administrator', { timeout: 120_000 }, () => {
  let side: TestHttpSide;
  let own: string;
  before(async () => {
    side = await TestHttpSide.start();
    await side.setPassword(side.ada, password);
    own = await side.tokenOf('ada');
  });
  after(() => side[Symbol.asyncDispose]());
  const operator = (method: string, path: string, body?: unknown) =>
    operatorCall(side.adminSocket, method, `/v1/admin/${path}`, body);

  const send = (path: string, fields: Record<string, string>) =>
    fetch(`${side.url}${path}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
  async function signIn(): Promise<string> {
    const answer = await send('/sign-in', { ...asked, username: 'ada', password });
    assert.equal(answer.status, 303, await answer.text());
    const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code');
    const body = { code, codeVerifier: verifier, redirectUri: asked.redirect_uri };
    return (await side.json<{ token: string }>('POST', '/v1/sign-in/token', undefined, body)).token;
  }

  it('is made one by an administrator, and by nobody else', async () => {
    assert.equal((await side.call('POST', '/v1/admin/users/ada/promote', own)).status, 403);
    const refused = await send('/sign-in', { ...asked, username: 'ada', password });
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /may not administer/);
    assert.equal((await operator('POST', 'users/ada/promote')).status, 200);
    const me = await side.json<{ user: { admin: boolean } }>('GET', '/v1/me', own);
    assert.equal(me.user.admin, true);
  });

  it('is not made one in the database, without the key', async () => {
    await side.store.db
      .updateTable('users')
      .set({ admin_mac: new Uint8Array(32) })
      .where('id', '=', side.bo.id)
      .execute();
    await side.setPassword(side.bo, password);
    const refused = await send('/sign-in', { ...asked, username: 'bo', password });
    assert.equal(refused.status, 403);
    await side.store.db.updateTable('users').set({ admin_mac: null }).where('id', '=', side.bo.id).execute();
  });

  it('gets a token for that alone, for hours, that nothing lengthens', async () => {
    const token = await signIn();
    const me = await side.json('GET', '/v1/me', token);
    assert.deepEqual([me.kind, me.user, me.scopes], ['admin', null, [...adminScopes].sort()]);
    const { tokens } = await side.json<{ tokens: { kind: string; createdMs: number; expiresMs: number }[] }>(
      'GET',
      '/v1/tokens',
      own,
    );
    const shown = tokens.find(({ kind }) => kind === 'admin');
    assert.ok(shown);
    assert.equal(shown.expiresMs - shown.createdMs, 8 * 60 * 60 * 1000);
    assert.equal((await side.call('POST', '/v1/tokens/renew', token, {})).status, 403);
  });

  it('gets one also with a code that is typed elsewhere, where it says what it is for', async () => {
    const device = await side.json<{ deviceCode: string; userCode: string }>('POST', '/v1/sign-in/device', undefined, {
      clientName: 'a window',
      kind: 'admin',
    });
    const asBo = await send('/sign-in/device', { user_code: device.userCode, username: 'bo', password });
    assert.match(await asBo.text(), /may not administer/);
    const page = await (
      await send('/sign-in/device', { user_code: device.userCode, username: 'ada', password })
    ).text();
    assert.match(page, /administer the service/);
    const confirm = /name="confirm" value="(\w+)"/.exec(page)?.[1] ?? '';
    await send('/sign-in/device/answer', { confirm, answer: 'approve' });
    const { deviceCode } = device;
    const made = await side.json<{ token: string }>('POST', '/v1/sign-in/device/token', undefined, { deviceCode });
    assert.equal((await side.call('GET', '/v1/admin/status', made.token)).status, 200);
  });

  it('reads nobody’s content with it, not the own either', async () => {
    await side.json('PUT', `/v1/dotfiles/content?path=.${canary}`, own, Buffer.from(canary));
    await side.json('POST', '/v1/terminals', own, { cwd: '' });
    const token = await signIn();
    for (const [name, route] of Object.entries(routes) as [string, Route][]) {
      const path = route.path.replace(':username', 'ada').replace(/:\w+/, 'x'.repeat(22));
      if (route.scope.startsWith('admin:') && route.method === 'GET') {
        const answer = await (await side.call('GET', path, token)).text();
        assert.ok(!answer.includes(canary), name);
      } else if (!/^(public|ticket|signed-in|admin:\w+)$/.test(route.scope)) {
        const body = route.method === 'GET' ? undefined : {};
        assert.equal((await side.call(route.method, path, token, body)).status, 403, name);
      }
    }
    for (const kind of ['events', 'files', 'terminal', 'job']) {
      assert.equal((await side.call('POST', '/v1/tickets', token, { kind, id: 'x' })).status, 403, kind);
    }
    assert.equal((await side.call('GET', '/v1/box', token)).status, 403);
  });

  it('sees how it stands: health with its reasons, users by counts and times, boxes', async () => {
    const token = await signIn();
    const status = await side.json<{ health: { problems: string[] } }>('GET', '/v1/admin/status', token);
    assert.deepEqual(status.health.problems, ['The disk is nearly full.']);
    const { users } = await side.json<{ users: Record<string, unknown>[] }>('GET', '/v1/admin/users', token);
    const { lastUsedMs, createdMs, id, ...ada } = users.find(({ username }) => username === 'ada') ?? {};
    assert.ok(Number(lastUsedMs) > 0);
    assert.deepEqual(ada, {
      username: 'ada',
      displayName: 'Ada',
      disabled: false,
      admin: true,
      box: 'running',
      dotfiles: 1,
      storedBytes: canary.length,
    });
    const { boxes } = await side.json<{ boxes: { username: string; state: string }[] }>(
      'GET',
      '/v1/admin/boxes',
      token,
    );
    assert.deepEqual(
      boxes.map(({ username, state }) => [username, state]),
      [
        ['ada', 'running'],
        ['bo', 'stopped'],
      ],
    );
    const stopped = await side.json('POST', '/v1/admin/boxes/ada/stop', token);
    assert.equal(stopped.state, 'stopped');
  });

  it('is named in the audit for what was done', async () => {
    const token = await signIn();
    await side.json('PUT', '/v1/admin/users/bo/name', token, { displayName: 'Bo' });
    const { entries } = (await operator('GET', 'audit?limit=1000')).body as { entries: AuditEntry[] };
    const last = entries.findLast(({ event }) => event === 'user.rename');
    assert.deepEqual([last?.actor.kind, last?.actor.username, last?.object], ['admin', 'ada', 'bo']);
  });

  it('is no longer one at once, and a user all the same', async () => {
    const token = await signIn();
    await operator('POST', 'users/ada/demote');
    assert.equal((await side.call('GET', '/v1/admin/status', token)).status, 401);
    assert.equal((await side.call('GET', '/v1/me', own)).status, 200);
    assert.equal((await send('/sign-in', { ...asked, username: 'ada', password })).status, 403);
  });
});
