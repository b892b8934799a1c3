import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { eventually } from '../../boxd/testing/eventually.ts';
import type { AuditEntry } from '../../protocol/audit.ts';
import type { Box, Holder } from '../../protocol/boxes.ts';
import { provisionChromium } from '../../scripts/provision/vscode.ts';
import { toBoxUser } from '../../service/boxUsers.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { chromiumArguments } from '../vscode/extensionHost.ts';

const password = 'correct horse battery';
const hostileName = '<img src=x onerror="document.title=`owned`"><b>Bo</b>';
const hostileAgent = '<script>document.title="owned"</script>';
const mebi = 2 ** 20;

describe('the page for administrators', { timeout: 180_000 }, () => {
  let side: TestHttpSide;
  let browser: Browser;
  let page: Page;
  /** That the page has sent last. */
  let token: string | undefined;
  const complaints: string[] = [];
  before(async () => {
    side = await TestHttpSide.start();
    await side.setPassword(side.ada, password);
    await side.setPassword(side.bo, password);
    await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/promote');
    await operatorCall(side.adminSocket, 'PUT', '/v1/admin/users/bo/name', { displayName: hostileName });
    browser = await chromium.launch({ executablePath: await provisionChromium(), args: chromiumArguments });
    page = await newPage();
  });
  after(async () => {
    await browser?.close();
    await side[Symbol.asyncDispose]();
  });

  async function newPage(): Promise<Page> {
    const made = await browser.newPage({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
    // What breaks the content security policy is told there.
    made.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    made.on('pageerror', (error) => complaints.push(error.message));
    made.on('request', (request) => {
      token = /^Bearer (.+)$/.exec(request.headers().authorization ?? '')?.[1] ?? token;
    });
    return made;
  }
  async function picture(name: string): Promise<void> {
    const folder = process.env.SPOON_TEST_PICTURES;
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `admin-${name}.png`), fullPage: true });
  }
  async function signIn(username = 'ada'): Promise<void> {
    await page.getByRole('button', { name: 'Sign In as Administrator' }).click();
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
  const row = (table: string, name: string) =>
    page
      .getByRole('table', { name: table })
      .getByRole('row')
      .filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  const rowTexts = (table: string, name: string) => row(table, name).getByRole('cell').allInnerTexts();
  const isTokenAlive = async (given: string | undefined) =>
    (await side.call('GET', '/v1/admin/status', given)).status === 200;

  it('is of the service’s own files alone, in nobody’s frame, and sets no cookie', async () => {
    const answer = await fetch(`${side.url}/admin`);
    const policy = String(answer.headers.get('content-security-policy'));
    assert.deepEqual(policy.split('; '), [
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      "connect-src 'self'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal(answer.headers.get('set-cookie'), null);
    const text = await answer.text();
    assert.doesNotMatch(text, /<style|style=|<script(?! type="module" src="\/admin\/)| on\w+=|https?:/i);
    const names = await readdir(new URL('../../service/adminPage', import.meta.url));
    assert.ok(names.length > 5);
    for (const name of names) {
      const file = await fetch(`${side.url}/admin/${name}`);
      const wanted = name.endsWith('.js') ? 'text/javascript' : name.endsWith('.css') ? 'text/css' : undefined;
      assert.equal(file.status, wanted === undefined ? 404 : 200, name);
      if (wanted !== undefined) assert.equal(file.headers.get('content-type'), `${wanted}; charset=utf-8`);
      assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
    }
    for (const path of ['..%2fservice.ts', 'nothing.js', '__proto__', '%2e%2e']) {
      assert.equal((await fetch(`${side.url}/admin/${path}`)).status, 404, path);
    }
    const slash = await fetch(`${side.url}/admin/`, { redirect: 'manual' });
    assert.deepEqual([slash.status, slash.headers.get('location')], [308, '/admin']);
  });

  it('signs in for administration alone, and takes the code nowhere else', async () => {
    const query = { redirect_uri: '/admin', state: 's'.repeat(20), code_challenge: 'c'.repeat(43) };
    const visit = (changes: Record<string, string>) =>
      fetch(`${side.url}/sign-in?${new URLSearchParams({ ...query, code_challenge_method: 'S256', ...changes })}`);
    assert.match(await (await visit({})).text(), /for administrators alone/);
    for (const redirect_uri of ['/admin/', '//evil.example/admin', '/admin?x', '/v1/me']) {
      assert.equal((await visit({ kind: 'admin', redirect_uri })).status, 400, redirect_uri);
    }
    const right = await visit({ kind: 'admin', client_name: 'Your bank' });
    assert.equal(right.status, 200);
    const shown = await right.text();
    assert.match(shown, /administer this service in this browser/);
    assert.ok(!shown.includes('<strong>Your bank'));
  });

  it('shows nothing to who is not signed in, and refuses who is no administrator', async () => {
    await page.goto(`${side.url}/admin`);
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    assert.equal(await page.getByRole('table').count(), 0);
    await picture('door');
    await signIn('bo');
    await page.getByRole('alert').filter({ hasText: 'may not administer' }).waitFor();
  });

  it('does not go on with a sign-in that was begun elsewhere', async () => {
    await page.goto(`${side.url}/admin#code=${'x'.repeat(43)}&state=${'s'.repeat(20)}`);
    await page.getByText('was not begun on this page').waitFor();
    assert.equal(page.url(), `${side.url}/admin`);
  });

  it('shows how the service stands, with names as text whatever is in them', async () => {
    const { ada, boxes } = side;
    for (const account of [ada, side.bo]) await boxes.ensure(toBoxUser(account));
    const holders: Holder[] = ['a', 'b'].map((id) => ({ kind: 'terminal', id, label: 'CANARY in a title' }));
    const described = boxes.describe.bind(boxes);
    Object.assign(boxes, {
      describe: async (user: Parameters<typeof described>[0]): Promise<Box> => {
        const box = await described(user);
        return user.username === 'bo' && box.state === 'running' ? { ...box, holders } : box;
      },
      load: async () => ({
        cpuPercent: 42,
        memoryBytes: 300 * mebi,
        memoryLimitBytes: 2048 * mebi,
        processes: 7,
      }),
    });
    await fetch(`${side.url}/v1/admin/users/ada/enable`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await side.tokenOf('bo')}`, 'user-agent': hostileAgent },
    });
    await page.goto(`${side.url}/admin`);
    await signIn();
    await page.getByText('1 problem').waitFor();
    assert.equal(page.url(), `${side.url}/admin`, 'the code has left the address');
    await page.getByText('The disk is nearly full.').waitFor();
    await page.getByText('Spoon 0.0.0, API 1').waitFor();
    await page.getByText('3.0 GiB of 40 GiB free, nearly full').waitFor();
    const box = await rowTexts('Boxes', 'bo');
    assert.deepEqual(box.slice(0, 5), ['running', '2 busy terminals', '42 %', '300 MiB of 2.0 GiB', '7']);
    assert.deepEqual((await rowTexts('Users', 'ada')).slice(0, 2), ['Ada', 'yes, administrator']);
    assert.equal((await rowTexts('Users', 'bo'))[0], hostileName);
    assert.equal(await page.title(), 'Administration – Spoon');
    assert.equal(await page.locator('main img, main b, main script').count(), 0);
    assert.ok(!(await page.content()).includes('CANARY'));
    const refused = page.getByRole('table', { name: 'Audit' }).getByRole('row').filter({ hasText: 'refused: ' });
    assert.equal(await refused.getByTitle(hostileAgent).count(), 1);
    await picture('light');
  });

  it('keeps the token in no storage, no cookie and no address', async () => {
    assert.match(String(token), /^spn_a_/);
    const kept = await page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])');
    assert.equal(kept, '[{},{},""]');
    assert.deepEqual(await page.context().cookies(), []);
    assert.ok(!side.logLines.join('').includes(String(token)));
  });

  it('can be looked at in the dark and on a narrow screen, and used by keyboard', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await picture('dark');
    await page.setViewportSize({ width: 380, height: 800 });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    assert.ok(Number(overflow) <= 0, `nothing is wider than the screen: ${overflow}`);
    await page.getByRole('table', { name: 'Users' }).getByRole('rowheader', { name: 'bo' }).waitFor();
    await picture('narrow');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1200, height: 900 });
    await page.getByLabel('Find').fill('lovelace');
    await page.getByText('Nobody is called so.').waitFor();
    await page.getByLabel('Find').fill('');
    await row('Boxes', 'bo').getByRole('button', { name: 'Stop… the box of bo' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Stop the box of bo?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(side.boxes.stateOf(side.bo.id), 'running', 'who takes it back stops nothing');
    assert.match(String(await page.evaluate('document.activeElement.textContent')), /the box of bo/);
  });

  it('stops a box once that is confirmed, after saying what ends with it', async () => {
    await row('Boxes', 'bo').getByRole('button').click();
    const dialog = page.getByRole('dialog', { name: 'Stop the box of bo?' });
    await dialog.getByText('in use by 2 busy terminals: that ends with it').waitFor();
    await picture('stop');
    await page.route('**/stop', (route) => route.abort(), { times: 1 });
    await dialog.getByRole('button', { name: 'Stop Box' }).click();
    await dialog.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
    await dialog.getByRole('button', { name: 'Stop Box' }).click();
    await page.getByRole('status').filter({ hasText: 'The box of bo is stopped.' }).waitFor();
    assert.equal(side.boxes.stateOf(side.bo.id), 'stopped');
    await row('Boxes', 'bo').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.id'), 'boxes-title');
  });

  it('disables a user once that is confirmed', async () => {
    const own = await side.tokenOf('bo');
    await row('Users', 'bo').getByRole('button', { name: 'Disable… bo' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disable bo?' });
    await dialog.getByText('All sign-ins, terminals and the box of bo end now').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await side.call('GET', '/v1/me', own)).status, 200);
    await row('Users', 'bo').getByRole('button', { name: 'Disable… bo' }).click();
    await dialog.getByRole('button', { name: 'Disable User' }).click();
    await row('Users', 'bo').getByRole('cell', { name: 'no, disabled' }).waitFor();
    assert.equal((await side.call('GET', '/v1/me', own)).status, 401);
    assert.equal(await row('Users', 'bo').getByRole('button').count(), 0);
    const { body } = await operatorCall(side.adminSocket, 'GET', '/v1/admin/audit?limit=1000');
    const done = (body.entries as AuditEntry[]).filter(
      ({ actor, event }) => actor.username === 'ada' && actor.kind === 'admin' && event !== 'token.new-address',
    );
    assert.deepEqual(
      done.map(({ event, object }) => `${event} ${object}`),
      ['box.stop bo', 'user.disable bo'],
    );
  });

  it('reads the audit from its end to its beginning, and verifies it', async () => {
    for (let made = 0; made < 60; made++) {
      await operatorCall(side.adminSocket, 'PUT', '/v1/admin/users/bo/name', { displayName: `Bo ${made}` });
    }
    await page.getByRole('button', { name: 'Refresh' }).click();
    const range = page.locator('#audit-range');
    const numbers = async () => ((await range.textContent()) ?? '').match(/\d+/g)?.map(Number) ?? [];
    await range.filter({ hasText: /to \d{2} of/ }).waitFor();
    const [last = 0, first = 0, all] = await numbers();
    assert.deepEqual([all, last - first], [last, 49]);
    await page.getByRole('button', { name: 'Older' }).click();
    await range.filter({ hasText: `${first - 1} to 1 of ${last}` }).waitFor();
    const entries = page.getByRole('table', { name: 'Audit' }).getByRole('rowheader');
    const shown = (await entries.allInnerTexts()).map(Number);
    assert.deepEqual(
      shown,
      Array.from({ length: first - 1 }, (_, index) => first - 1 - index),
    );
    assert.equal(await page.getByRole('button', { name: 'Older' }).isDisabled(), true);
    await page.getByRole('button', { name: 'Newer' }).click();
    await range.filter({ hasText: `${last} to ${first} of` }).waitFor();
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText(/All \d+ entries are as they were written/).waitFor();
  });

  it('says when the service does not answer, keeps what it had, and goes on', async () => {
    // By itself it asks only while somebody looks at it, which would take the button away from under the pointer.
    await page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })");
    await page.route('**/v1/admin/status', (route) => route.abort(), { times: 1 });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByRole('alert').filter({ hasText: 'The service does not answer' }).waitFor();
    assert.equal(await row('Users', 'ada').count(), 1);
    await page.getByRole('button', { name: 'Try Again' }).click();
    await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor({ state: 'hidden' });
    await page.evaluate('delete document.visibilityState');
  });

  it('ends the token when somebody signs out, and leaves nothing in the page', async () => {
    assert.equal(await isTokenAlive(token), true);
    await page.getByRole('button', { name: 'Sign Out' }).click();
    await page.getByText('You are signed out.').waitFor();
    assert.equal(await isTokenAlive(token), false);
    assert.equal(await page.locator('tbody tr').count(), 0);
    assert.ok(!((await page.locator('body').textContent()) ?? '').includes('Ada'));
  });

  it('ends it when the page is left or reloaded', async () => {
    await signIn();
    await row('Users', 'ada').waitFor();
    const left = token;
    assert.equal(await isTokenAlive(left), true);
    await page.reload();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    await eventually('it has ended', async () => !(await isTokenAlive(left)));
  });

  it('is signed out where the service ends the token, and after 8 hours', async () => {
    await signIn();
    await row('Users', 'ada').waitFor();
    const id = String(token).split('_')[2];
    await operatorCall(side.adminSocket, 'DELETE', `/v1/admin/tokens/${id}`);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Your sign-in was ended by the service.').waitFor();
    await page.clock.install();
    await page.reload();
    await signIn();
    await row('Users', 'ada').waitFor();
    await page.clock.fastForward('08:00:00');
    await page.getByText('Your sign-in has ended: it lasts 8 hours.').waitFor();
  });

  it('never breaks the policy of its pages', () => {
    const serious = complaints.filter((text) => !/status of (400|401|403)|ERR_FAILED/.test(text));
    assert.deepEqual(serious, []);
  });
});
