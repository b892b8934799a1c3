import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { provisionChromium } from '../../scripts/provision/vscode.ts';
import { operatorCall, TestHttpSide } from '../fixtures/httpSide.fixture.ts';
import { PersonsMachine, spoonctlFile } from '../fixtures/spoonctl.fixture.ts';
import { chromiumArguments } from '../vscode/extensionHost.ts';

const password = 'correct horse battery';

describe('signing in with a browser', { timeout: 180_000 }, () => {
  let side: TestHttpSide;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  before(async () => {
    side = await TestHttpSide.start();
    browser = await chromium.launch({ executablePath: await provisionChromium(), args: chromiumArguments });
    page = await browser.newPage();
    // What breaks the content security policy is told there.
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  after(async () => {
    await browser?.close();
    await side[Symbol.asyncDispose]();
  });
  const picture = async (name: string) => {
    const folder = process.env.SPOON_TEST_PICTURES;
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`) });
  };

  /** spoonctl as a person's process; `visit` is what the person does with the browser once it has said what `wanted` matches. */
  async function login(args: string[], wanted: RegExp, visit: (...found: string[]) => Promise<void>) {
    const machine = await PersonsMachine.create();
    try {
      const child = spawn(process.execPath, [spoonctlFile, 'login', '--url', side.url, ...args], {
        cwd: machine.homeDir,
        env: { ...machine.fullEnv, BROWSER: '/bin/true' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
      const printed = buffer(child.stdout);
      let said = '';
      const found = new Promise<string[]>((resolve) => {
        child.stderr.on('data', (chunk: Buffer) => {
          said += chunk;
          const match = wanted.exec(said);
          if (match !== null) resolve([...match].slice(1));
        });
      });
      await visit(...(await Promise.race([found, exited.then(() => assert.fail(`spoonctl ended: ${said}`))])));
      const code = await exited;
      const { stdout } = await machine.run(['whoami']);
      return { code, printed: (await printed).toString(), said, who: stdout.toString() };
    } finally {
      await machine[Symbol.asyncDispose]();
    }
  }
  const addressAndCode = /open (\S+) and type the code (\S+)\n/;

  it('begins with an invite, whose secret leaves the address at once and reaches no log', async () => {
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/invite', {});
    await page.goto(String(body.link));
    await page.locator('#invite-row').waitFor({ state: 'hidden' });
    assert.equal(page.url(), `${side.url}/sign-in/invite`);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('The same once more').fill(`${password}s`);
    await picture('1-invite');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').filter({ hasText: 'not the same' }).waitFor();
    await picture('2-invite-refused');
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('The same once more').fill(password);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your username is ada').waitFor();
    await picture('3-invited');
    await page.goto('about:blank');
    await page.goto(String(body.link));
    await page.getByLabel('Password').fill(`${password} again`);
    await page.getByLabel('The same once more').fill(`${password} again`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').filter({ hasText: 'used or too old' }).waitFor();
    assert.ok(!side.logLines.join('').includes('spn_i_'));
  });

  it('leads back to spoonctl on the same machine, after a wrong password too', async () => {
    const { code, printed, who } = await login(['--browser'], /(http:\S+\/sign-in\?\S+)\n/, async (address = '') => {
      await page.goto(address);
      await page.getByText('spoonctl on').waitFor();
      await picture('4-sign-in');
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('Password').fill('something else entirely');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').filter({ hasText: 'not right' }).waitFor();
      await picture('5-refused');
      assert.equal(await page.getByLabel('Username').inputValue(), 'ada');
      assert.equal(await page.getByLabel('Password').inputValue(), '');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('Signed in. This page can be closed.').waitFor();
    });
    assert.equal(code, 0);
    assert.match(printed, /^Signed in at 127\.0\.0\.1:\d+ as ada\.\n$/);
    assert.match(who, /^ada at /);
  });

  it('works from a machine without one, with a code and a look at who asks', async () => {
    const { code, who } = await login(['--device'], addressAndCode, async (address = '', userCode = '') => {
      await page.goto(address);
      await page.getByLabel('Code').fill(userCode.toLowerCase());
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('Password').fill(password);
      await picture('6-device');
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByRole('heading', { name: 'Let it sign in?' }).waitFor();
      assert.match((await page.locator('dl').textContent()) ?? '', /spoonctl on .*127\.0\.0\.1/s);
      await picture('7-device-confirm');
      await page.getByRole('button', { name: 'Let it sign in' }).click();
      await page.getByText('is signed in').waitFor();
    });
    assert.equal(code, 0);
    assert.match(who, /^ada at /);
  });

  it('refuses that program when its user says so', async () => {
    const { code, said } = await login(['--device'], addressAndCode, async (address = '', userCode = '') => {
      await page.goto(address);
      await page.getByLabel('Code').fill(userCode);
      await page.getByLabel('Username').fill('ada');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByRole('button', { name: 'Refuse' }).click();
      await page.getByRole('heading', { name: 'Refused' }).waitFor();
    });
    assert.equal(code, 1);
    assert.match(said, /The sign-in was refused/);
  });

  it('never breaks the policy of its pages, and keeps passwords and codes out of the log', async () => {
    const serious = complaints.filter((text) => !/status of (400|403|422)/.test(text) && !text.includes('favicon'));
    assert.deepEqual(serious, []);
    const log = side.logLines.join('');
    assert.ok(log.includes('"route":"/sign-in"'));
    for (const secret of [password, 'something else', 'code=', 'code_challenge'])
      assert.ok(!log.includes(secret), secret);
  });
});
