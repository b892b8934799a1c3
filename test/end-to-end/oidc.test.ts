import assert from 'node:assert/strict';
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import type { AuditEntry } from '../../protocol/audit.ts';
import { provisionChromium } from '../../scripts/provision/vscode.ts';
import type { OidcSettings } from '../../service/identity/oidcProvider.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { clientId, clientSecret, TestOidcProvider } from '../fixtures/oidcProvider.fixture.ts';
import { askedByProgram, OidcVisitor } from '../fixtures/oidcVisitor.fixture.ts';
import { chromiumArguments } from '../vscode/extensionHost.ts';

function settingsFor(provider: TestOidcProvider, changes: Partial<OidcSettings> = {}): OidcSettings {
  return {
    issuer: provider.issuer,
    ...{ clientId, clientSecret, name: 'Example ID', scope: 'openid profile', provisions: false },
    ...{ usernameClaim: 'preferred_username', adminGroup: undefined, groupsClaim: 'groups' },
    ...changes,
  };
}

/** A JWT is three parts in base64url. */
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part = ''): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString());

describe('signing in by way of a provider', { timeout: 120_000 }, () => {
  let provider: TestOidcProvider;
  let side: TestHttpSide;
  before(async () => {
    provider = await TestOidcProvider.start();
    side = await TestHttpSide.start({
      oidc: settingsFor(provider, { provisions: true, adminGroup: 'spoon-admins' }),
    });
    provider.register(`${side.url}/sign-in/oidc/callback`);
  });
  after(async () => {
    await side[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });
  afterEach(() => {
    provider.tamper = (token) => token;
    provider.broken = undefined;
  });
  const visitor = () => new OidcVisitor(side.url);
  const whoIs = async (token: string) => {
    const { user } = await side.json<{ user: { username: string; displayName: string } }>('GET', '/v1/me', token);
    return user;
  };
  const signedIn = async (subject: string) => {
    const browser = visitor();
    return whoIs(await browser.tokenFrom(await browser.signIn(subject)));
  };

  it('makes an account at first, and finds it by the subject whatever else changes', async () => {
    provider.people.set('s-1', { name: 'Zoë Quinn', preferred_username: 'zoë@one.example' });
    provider.people.set('s-2', { name: 'Zoe Other', preferred_username: 'zoe@two.example' });
    const first = await signedIn('s-1');
    assert.deepEqual([first.username, first.displayName], ['zoe', 'Zoë Quinn']);
    assert.equal((await signedIn('s-2')).username, 'zoe2');
    provider.people.set('s-1', { name: 'Somebody Else', preferred_username: 'ada@one.example' });
    assert.equal((await signedIn('s-1')).username, 'zoe');
    provider.people.set('s-2', { name: 'Zoë Quinn', preferred_username: 'zoë@one.example' });
    assert.equal((await signedIn('s-2')).username, 'zoe2', 'an address that was another’s opens nothing of theirs');
  });

  it('gives names by the rules of names, and one account to two sign-ins at once', async () => {
    provider.people.set('s-root', { name: 'Root', preferred_username: 'root' });
    assert.equal((await signedIn('s-root')).username, 'user');
    provider.people.set('s-none', {});
    assert.equal((await signedIn('s-none')).username, 'user2');
    provider.people.set('s-twice', { preferred_username: 'grace' });
    const both = await Promise.all([signedIn('s-twice'), signedIn('s-twice')]);
    assert.deepEqual(
      both.map(({ username }) => username),
      ['grace', 'grace'],
    );
  });

  it('makes an administrator of who is in the group, and takes that away at the next sign-in without it', async () => {
    provider.people.set('s-boss', { preferred_username: 'boss', groups: ['staff', 'spoon-admins'] });
    const asAdmin = { ...askedByProgram, kind: 'admin' };
    const browser = visitor();
    const admin = await browser.tokenFrom(await browser.signIn('s-boss', asAdmin));
    assert.equal((await side.call('GET', '/v1/admin/users', admin)).status, 200);
    provider.people.set('s-boss', { preferred_username: 'boss', groups: ['staff'] });
    const refused = await visitor().signIn('s-boss', asAdmin);
    assert.equal(refused.status, 403);
    assert.equal((await side.call('GET', '/v1/admin/users', admin)).status, 401, 'with the tokens from before');
    assert.equal((await signedIn('s-boss')).username, 'boss');
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit');
    const events = (body.entries as { event: string; object: string | null }[]).map(
      ({ event, object }) => `${event} ${object}`,
    );
    for (const wanted of ['user.create boss', 'user.promote boss', 'user.demote boss']) {
      assert.ok(events.includes(wanted), wanted);
    }
  });

  it('does not let a disabled account in', async () => {
    provider.people.set('s-gone', { preferred_username: 'gone' });
    await signedIn('s-gone');
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/gone/disable');
    const { status, body } = await visitor().signIn('s-gone');
    assert.equal(status, 403);
    assert.match(body, /account is disabled/);
  });

  it('answers a replay, another browser and a page of somebody else with a text and nothing more (row 56)', async () => {
    provider.people.set('s-3', { preferred_username: 'eve' });
    const browser = visitor();
    const back = await browser.answerProvider((await browser.begin(askedByProgram)).next, { subject: 's-3' });
    const stolen = await visitor().open(back);
    assert.deepEqual([stolen.status, stolen.location], [400, null]);
    assert.match(stolen.body, /begun in another browser, or too long ago/);
    const late = await browser.open(back);
    assert.equal(late.status, 400, 'whoever tried it first has used it up');
    const good = visitor();
    const address = await good.answerProvider((await good.begin(askedByProgram)).next, { subject: 's-3' });
    assert.equal((await good.open(address)).status, 303);
    assert.equal((await good.open(address)).status, 400);
    const made = new URL(address);
    made.searchParams.set('state', 'x'.repeat(43));
    assert.equal((await good.open(made.href)).status, 400);
    assert.equal((await visitor().begin(askedByProgram, 'https://evil.test')).page.status, 403);
    const elsewhere = { ...askedByProgram, redirect_uri: 'https://evil.test/' };
    assert.equal((await visitor().begin(elsewhere)).page.status, 400);
  });

  it('says so when the person, or the provider, refuses or is broken', async () => {
    const browser = visitor();
    const refused = await browser.answerProvider((await browser.begin(askedByProgram)).next, { deny: '1' });
    const page = await browser.open(refused);
    assert.equal(page.status, 403);
    assert.match(page.body, /Example ID says that you, or it, refused/);
    const back = await browser.answerProvider((await browser.begin(askedByProgram)).next, { subject: 's-3' });
    provider.broken = { status: 400, body: '{"error":"invalid_client"}' };
    const broken = await browser.open(back);
    assert.equal(broken.status, 403);
    assert.match(broken.body, /Example ID answers “invalid_client”/);
  });

  it('says so when the provider is away, and goes on when it is back', async () => {
    const other = await TestOidcProvider.start();
    const away = await TestHttpSide.start({ oidc: settingsFor(other, { provisions: true }) });
    try {
      other.register(`${away.url}/sign-in/oidc/callback`);
      await other.silence();
      const browser = new OidcVisitor(away.url);
      const { page } = await browser.begin(askedByProgram);
      assert.equal(page.status, 503);
      assert.match(page.body, /Example ID does not answer\. Try again in a moment/);
      await other.listen();
      other.broken = { status: 502, body: '{}' };
      assert.equal((await browser.begin(askedByProgram)).page.status, 503);
      other.broken = undefined;
      assert.equal((await browser.signIn('s-1')).status, 303);
    } finally {
      await away[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    }
  });

  const sign = (header: object, claims: object, key = provider.keys.privateKey): string => {
    const text = `${encoded(header)}.${encoded(claims)}`;
    return `${text}.${createSign('sha256').update(text).sign(key).toString('base64url')}`;
  };
  const seconds = () => Math.floor(Date.now() / 1000);
  const right = { alg: 'RS256', kid: 'first' };
  const forged: readonly (readonly [string, (claims: Record<string, unknown>) => string])[] = [
    ['of another issuer', (claims) => sign(right, { ...claims, iss: 'https://evil.test' })],
    ['for another client', (claims) => sign(right, { ...claims, aud: 'another' })],
    ['of another sign-in', (claims) => sign(right, { ...claims, nonce: 'another' })],
    ['without a nonce', ({ nonce, ...claims }) => sign(right, claims)],
    ['that has expired', (claims) => sign(right, { ...claims, iat: seconds() - 900, exp: seconds() - 300 })],
    ['without a signature', (claims) => `${encoded({ alg: 'none' })}.${encoded(claims)}.`],
    [
      'signed by another key',
      (claims) => sign(right, claims, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey),
    ],
    ['of a key that nobody knows', (claims) => sign({ ...right, kid: 'second' }, claims)],
    [
      'made with the public key as a password',
      (claims) => {
        const text = `${encoded({ alg: 'HS256', kid: 'first' })}.${encoded(claims)}`;
        const key = provider.keys.publicKey.export({ type: 'spki', format: 'pem' });
        return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
      },
    ],
  ];
  for (const [what, forge] of forged) {
    it(`believes no ID token ${what} (row 55)`, async () => {
      provider.tamper = (token) => forge(decoded(token.split('.')[1]));
      const { status, location, body } = await visitor().signIn('s-1');
      assert.deepEqual([status, location], [403, null], body);
      assert.match(body, /What Example ID answered does not hold/);
    });
  }

  it('bears with clocks that differ by less than a minute', async () => {
    const shifted = (by: number) => (token: string) => {
      const claims = decoded(token.split('.')[1]);
      return sign(right, { ...claims, iat: seconds() + by - 60, exp: seconds() + by });
    };
    provider.tamper = shifted(-40);
    assert.equal((await visitor().signIn('s-1')).status, 303);
    provider.tamper = shifted(-80);
    assert.equal((await visitor().signIn('s-1')).status, 403);
  });

  it('has what was refused in the audit (row 55)', async () => {
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit?event=sign-in&result=refused');
    const refused = (body.entries as AuditEntry[]).filter(({ code }) => code === 'oidc-refused');
    assert.ok(refused.length >= forged.length && refused.every(({ actor }) => actor.kind === 'nobody'));
    assert.equal(
      new Set(refused.map(({ address }) => address)).size,
      refused.length,
      'each visitor has another address',
    );
  });

  it('leaves nothing of all that in the log', () => {
    const log = side.logLines.join('');
    for (const secret of [clientSecret, 'eyJ', 's-1', 'one.example', 'state='])
      assert.ok(!log.includes(secret), secret);
    assert.match(log, /"event":"oidc"/);
  });
});

describe('signing in by way of a provider, by invite', { timeout: 120_000 }, () => {
  let provider: TestOidcProvider;
  let side: TestHttpSide;
  before(async () => {
    provider = await TestOidcProvider.start();
    side = await TestHttpSide.start({ oidc: settingsFor(provider) });
    provider.register(`${side.url}/sign-in/oidc/callback`);
  });
  after(async () => {
    await side[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
  });
  const inviteOf = async (username: string) => {
    const { body } = await operatorCall(side.adminSocket, 'POST', `/v1/admin/users/${username}/invite`, {});
    return { invite: String(body.link).split('#')[1] ?? '' };
  };

  it('is refused to who is unknown, until an invite has linked the two', async () => {
    // The name of somebody who is here already is no proof.
    provider.people.set('s-ada', { name: 'Ada', preferred_username: 'ada' });
    const unknown = await new OidcVisitor(side.url).signIn('s-ada');
    assert.equal(unknown.status, 403);
    assert.match(unknown.body, /No account here belongs to you\. Ask your administrator for an invite/);
    const invite = await inviteOf('ada');
    const linked = await new OidcVisitor(side.url).signIn('s-ada', invite);
    assert.match(linked.body, /Your username is <strong>ada</);
    assert.match((await new OidcVisitor(side.url).signIn('s-else', invite)).body, /used or too old/);
    const browser = new OidcVisitor(side.url);
    const token = await browser.tokenFrom(await browser.signIn('s-ada'));
    assert.equal((await side.json<{ user: { username: string } }>('GET', '/v1/me', token)).user.username, 'ada');
    assert.match(
      (await new OidcVisitor(side.url).signIn('s-ada', await inviteOf('bo'))).body,
      /another account here already/,
    );
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit');
    const noted = (body.entries as AuditEntry[]).map(({ event, code, actor }) => `${event} ${code} ${actor.username}`);
    for (const wanted of ['sign-in oidc-unknown null', 'invite.use null ada', 'sign-in null ada'])
      assert.ok(noted.includes(wanted), wanted);
  });

  it('works in a browser that holds pages to what they may load and where they lead', async () => {
    const browser = await chromium.launch({ executablePath: await provisionChromium(), args: chromiumArguments });
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (/content security policy/i.test(message.text())) complaints.push(message.text());
      });
      const grace = await side.users.create({ displayName: 'Grace Hopper' });
      const { invite } = await inviteOf(grace.username);
      await page.goto(`${side.url}/sign-in/invite#${invite}`);
      await page.locator('#invite-row').waitFor({ state: 'hidden' });
      await page.getByRole('button', { name: 'Use Example ID instead of a password' }).click();
      await page.getByLabel('Name').fill('s-grace');
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('Your username is grace').waitFor();

      const { userCode } = await side.json<{ userCode: string }>('POST', '/v1/sign-in/device', undefined, {
        clientName: 'a program',
      });
      await page.goto(`${side.url}/sign-in/device`);
      await page.getByLabel('Code').fill(userCode);
      const { SPOON_TEST_PICTURES: pictures } = process.env;
      if (pictures !== undefined) await page.screenshot({ path: `${pictures}/oidc-device.png` });
      await page.getByRole('button', { name: 'Go on with Example ID' }).click();
      // The provider knows the browser by now, and asks nothing.
      await page.getByRole('button', { name: 'Let it sign in' }).click();
      await page.getByText('a program is signed in').waitFor();

      await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/grace/promote');
      await page.goto(`${side.url}/admin`);
      await page.getByRole('button', { name: 'Sign In as Administrator' }).click();
      await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
      await page.getByText('Signed in until').waitFor();

      await page.goto(`${side.url}/sign-in?${new URLSearchParams(askedByProgram)}`);
      if (pictures !== undefined) await page.screenshot({ path: `${pictures}/oidc-sign-in.png` });
      const wanted = page.waitForRequest((request) => request.url().startsWith(askedByProgram.redirect_uri));
      await page.getByRole('button', { name: 'Sign in with Example ID' }).click();
      assert.match((await wanted).url(), /\?code=\w+&state=s{20}$/);
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
    }
  });

  it('ends with the account, of which nothing is left', async () => {
    await new OidcVisitor(side.url).signIn('s-bo', await inviteOf('bo'));
    const count = () => side.store.db.selectFrom('oidc_identities').select('user_id').execute();
    const before = (await count()).length;
    await operatorCall(side.adminSocket, 'DELETE', '/v1/admin/users/bo', { confirm: 'bo' });
    assert.equal((await count()).length, before - 1);
    assert.equal((await new OidcVisitor(side.url).signIn('s-bo')).status, 403);
  });

  it('is given to nobody by who can write the database alone', async () => {
    const eve = await side.users.create({ displayName: 'Eve' });
    await side.store.db
      .updateTable('oidc_identities')
      .set({ user_id: eve.id })
      .where('user_id', '=', side.ada.id)
      .execute();
    assert.equal((await new OidcVisitor(side.url).signIn('s-ada')).status, 500);
  });
});
