import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packageExtension } from '../../scripts/buildExtension.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

const password = 'correct horse battery';

describe('signing in to VS Code with a browser', { timeout: 300_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-sign-in-'));
    const vsix = await packageExtension(join(folder, 'spoon.vsix'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    window = await Workbench.open({ vsix, pictures: process.env.SPOON_TEST_PICTURES });
    const { link } = await service.admin<{ link: string }>('POST', `/v1/admin/users/${user.username}/invite`, {});
    const body = new URLSearchParams({ invite: new URL(link).hash.slice(1), password, again: password });
    const headers = { origin: service.url };
    const chosen = await fetch(new URL('/sign-in/invite', service.url), { method: 'POST', headers, body });
    assert.equal(chosen.status, 200, await chosen.text());
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const dialog = () => window.page.locator('.monaco-dialog-box', { hasText: 'Your code is' });

  it('leaves things as they were when the person does not go on', async () => {
    await window.command('Spoon: Sign In…');
    await window.answer('(1/2)', service.url);
    await window.answer('(2/2)', '');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'hidden' });
    await window.page.keyboard.press('Escape');
    await window.showSpoonView();
    await window.welcome('Sign in to see your dotfiles').waitFor();
  });

  it('opens the page, where the code is typed, and goes on in the window', async () => {
    await window.command('Spoon: Sign In…');
    await window.answer('(1/2)', service.url);
    await window.page.locator('.quick-input-widget', { hasText: '(2/2)' }).waitFor();
    await window.picture('sign-in-question');
    await window.answer('(2/2)', '');
    await dialog().waitFor();
    await window.picture('sign-in-code');
    const text = (await dialog().textContent()) ?? '';
    const code = /[B-Z]{4}-[B-Z]{4}/.exec(text)?.[0] ?? '';
    const [page] = await Promise.all([
      window.page.context().waitForEvent('page'),
      dialog().getByRole('button', { name: 'Copy Code and Open Browser' }).click(),
    ]);
    // This server of VS Code opens a port of its own machine by way of a proxy that it does not have.
    await page.goto(/http:\S+\/sign-in\/device/.exec(text)?.[0] ?? '');
    await page.getByLabel('Code').fill(code);
    await page.getByLabel('Username').fill(user.username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Let it sign in' }).click();
    await page.getByText('is signed in').waitFor();
    await page.close();
    await window.statusBar(new URL(service.url).host).waitFor();
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
    await window.picture('sign-in-done');
  });
});
