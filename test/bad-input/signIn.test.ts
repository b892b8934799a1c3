import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';

const password = 'correct horse battery';
const verifier = 'v'.repeat(43);
const asked = {
  redirect_uri: 'http://127.0.0.1:5000/',
  state: 's'.repeat(20),
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
  client_name: 'a program',
};

describe('the pages of signing in', () => {
  let side: TestHttpSide;
  let addresses = 0;
  before(async () => {
    side = await TestHttpSide.start();
    await side.setPassword(side.ada, password);
  });
  after(() => side[Symbol.asyncDispose]());
  const freshAddress = () => `127.0.2.${++addresses}`;

  /** As a browser sends a form, from an address of its own: attempts are counted by address. */
  async function send(
    fields: Record<string, string>,
    { path = '/sign-in', from = freshAddress(), origin = side.url as string | undefined, method = 'POST' } = {},
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
    const form = new URLSearchParams(fields).toString();
    const sent = request(`${side.url}${path}`, {
      method,
      localAddress: from,
      agent: false,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(form),
        ...(origin === undefined ? {} : { origin }),
      },
    });
    sent.end(form);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }
  const signIn = (changes: Record<string, string> = {}, options: Parameters<typeof send>[1] = {}) =>
    send({ ...asked, username: 'ada', password, ...changes }, options);

  it('lead back with a code that is a token only with its verifier (row 56)', async () => {
    const { status, headers } = await signIn();
    assert.equal(status, 303);
    const address = new URL(headers.location ?? '');
    assert.equal(address.origin, 'http://127.0.0.1:5000');
    const code = address.searchParams.get('code') ?? '';
    const exchange = (body: object) => side.call('POST', '/v1/sign-in/token', undefined, body);
    const right = { code, codeVerifier: verifier, redirectUri: asked.redirect_uri };
    assert.equal((await exchange({ ...right, codeVerifier: 'w'.repeat(43) })).status, 400);
    assert.equal((await exchange(right)).status, 400);
    const again = new URL((await signIn()).headers.location ?? '').searchParams.get('code') ?? '';
    const made = (await (await exchange({ ...right, code: again })).json()) as { token: string };
    assert.equal((await side.call('GET', '/v1/me', made.token)).status, 200);
  });

  for (const [what, change] of [
    ['elsewhere', { redirect_uri: 'https://evil.test/' }],
    ['to another extension', { redirect_uri: 'vscode://other.extension/auth' }],
    ['without a challenge', { code_challenge: '' }],
    ['with a plain challenge', { code_challenge_method: 'plain' }],
    ['without a state', { state: '' }],
  ] as const) {
    it(`lead nowhere when asked to ${what} (row 56)`, async () => {
      const page = await fetch(`${side.url}/sign-in?${new URLSearchParams({ ...asked, ...change })}`);
      assert.equal(page.status, 400);
      assert.ok(!(await page.text()).includes('password'));
      const sent = await signIn(change);
      assert.deepEqual([sent.status, sent.headers.location], [400, undefined]);
    });
  }

  it('say the same of a wrong name as of a wrong password', async () => {
    const wrong = async (changes: Record<string, string>) => {
      const { status, body } = await signIn(changes);
      return [status, body.replace(/name="username" value="[^"]*"/, '')];
    };
    const expected = await wrong({ password: 'not the password' });
    assert.equal(expected[0], 403);
    assert.deepEqual(await wrong({ username: 'nobody-here' }), expected);
    // No password was ever set.
    assert.deepEqual(await wrong({ username: 'bo' }), expected);
    assert.deepEqual(await wrong({ username: '../ada' }), expected);
  });

  it('refuse a disabled user only after the password', async () => {
    const { id } = await side.users.create({ displayName: 'Cy' });
    await side.setPassword({ id, username: 'cy' }, password);
    // As an earlier version left it.
    await side.store.db.updateTable('users').set({ disabled_ms: 1 }).where('id', '=', id).execute();
    assert.match((await signIn({ username: 'cy', password: 'not the password' })).body, /not right/);
    assert.match((await signIn({ username: 'cy' })).body, /disabled/);
  });

  it('know no password and no invite from before a user was disabled', async () => {
    const operator = (path: string) => operatorCall(side.adminSocket, 'POST', `/v1/admin/users/di/${path}`, {});
    const account = await side.users.create({ displayName: 'Di' });
    await side.setPassword(account, password);
    const invite = String((await operator('invite')).body.link).split('#')[1] ?? '';
    assert.equal((await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/di/disable')).status, 200);
    assert.equal((await operator('invite')).body.code, 'user-disabled');
    await assert.rejects(side.setPassword(account, password), { code: 'user-disabled' });
    assert.equal((await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/di/enable')).status, 200);
    assert.match((await signIn({ username: 'di' })).body, /not right/);
    const chosen = { invite, password, again: password };
    assert.match((await send(chosen, { path: '/sign-in/invite' })).body, /used or too old/);
  });

  it('know no approval from before a user was disabled, however soon the account is enabled again', async () => {
    const account = await side.users.create({ displayName: 'Eli' });
    await side.setPassword(account, password);
    const code = new URL((await signIn({ username: 'eli' })).headers.location ?? '').searchParams.get('code') ?? '';
    const requestCodes = () => side.json('POST', '/v1/sign-in/device', undefined, { clientName: 'server' });
    const shown = async ({ userCode }: Record<string, unknown>) => {
      const typed = { username: 'eli', password, user_code: String(userCode) };
      const { body } = await send(typed, { path: '/sign-in/device' });
      return /name="confirm" value="([^"]+)"/.exec(body)?.[1] ?? '';
    };
    const answer = (confirm: string) => send({ confirm, answer: 'approve' }, { path: '/sign-in/device/answer' });
    const [approved, unanswered] = [await requestCodes(), await requestCodes()];
    assert.equal((await answer(await shown(approved))).status, 200);
    const late = await shown(unanswered);
    for (const verb of ['disable', 'enable']) {
      assert.equal((await operatorCall(side.adminSocket, 'POST', `/v1/admin/users/eli/${verb}`)).status, 200);
    }
    const exchange = async (path: string, body: object) =>
      ((await (await side.call('POST', path, undefined, body)).json()) as { code?: string }).code;
    const exchanged = { code, codeVerifier: verifier, redirectUri: asked.redirect_uri };
    assert.equal(await exchange('/v1/sign-in/token', exchanged), 'sign-in-code-invalid');
    const { deviceCode } = approved;
    assert.equal(await exchange('/v1/sign-in/device/token', { deviceCode }), 'sign-in-code-invalid');
    assert.equal((await answer(late)).status, 400);
  });

  it('hold back who guesses, with Retry-After, and nobody else', async () => {
    const from = freshAddress();
    const statuses: number[] = [];
    for (let tries = 0; tries < 11; tries++) statuses.push((await signIn({ password: 'guess' }, { from })).status);
    assert.deepEqual(statuses, [...Array<number>(10).fill(403), 429]);
    const held = await signIn({}, { from });
    assert.equal(held.status, 429);
    assert.ok(Number(held.headers['retry-after']) > 60);
    assert.equal((await signIn()).status, 303);
    // Many names from one place are held back as well.
    const other = freshAddress();
    const names = await Promise.all(
      Array.from({ length: 40 }, (_, count) => signIn({ username: `guess${count}` }, { from: other })),
    );
    assert.equal(names.filter(({ status }) => status === 429).length, 10);
  });

  it('take no form from a page of somebody else, nor one in JSON', async () => {
    for (const origin of ['https://evil.test', 'null', `${side.url}0`]) {
      assert.equal((await signIn({}, { origin })).status, 403);
    }
    assert.equal((await side.call('POST', '/sign-in', undefined, { ...asked, username: 'ada', password })).status, 415);
    assert.equal((await signIn({ 'no such field': '1' })).status, 422);
    assert.equal((await signIn({ password: 'x'.repeat(5_000) })).status, 413);
  });

  it('show what others wrote as text, in pages that run nothing', async () => {
    const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>';
    const { body, headers } = await signIn({ client_name: evil, username: evil, password: 'x' });
    assert.ok(!body.includes('<script') && !body.includes('<img'));
    assert.ok(body.includes('&lt;script&gt;'));
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.ok(!policy.includes('unsafe') && !policy.includes('script-src'));
    assert.deepEqual(
      [headers['cache-control'], headers['x-content-type-options'], headers['set-cookie']],
      ['no-store', 'nosniff', undefined],
    );
  });

  it('change a password only for who has the old one, not for every token', async () => {
    const token = await side.tokenOf('ada');
    const change = (body: object) => side.call('PUT', '/v1/me/password', token, body);
    assert.equal((await change({ password: 'another long password' })).status, 422);
    assert.equal((await change({ current: 'wrong', password: 'another long password' })).status, 422);
    assert.equal((await change({ current: password, password: 'short' })).status, 422);
    assert.equal((await change({ current: password, password })).status, 204);
  });

  it('give no first password to who has only a token', async () => {
    const token = await side.tokenOf('bo');
    for (const current of [undefined, '', password]) {
      const refused = await side.call('PUT', '/v1/me/password', token, { current, password });
      assert.ok([409, 422].includes(refused.status), `${current}: ${refused.status}`);
    }
    assert.match((await signIn({ username: 'bo' })).body, /not right/);
  });
});
