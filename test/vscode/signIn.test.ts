import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

const password = 'correct horse battery';

describe('signing in to VS Code with a browser', { timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-sign-in-'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    await service.addUser('Bob');
    await service.admin('POST', `/v1/admin/users/${user.username}/promote`);
    window = await Workbench.open({ pictures: process.env.SPOON_TEST_PICTURES });
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
    await approve('sign-in-code');
    await window.statusBar(new URL(service.url).host).waitFor();
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
    await window.picture('sign-in-done');
  });

  /** Takes the code that the window shows to the page, as a person does. @returns what the page says it is for */
  async function approve(pictureName: string): Promise<string> {
    await dialog().waitFor();
    await window.picture(pictureName);
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
    const allow = page.getByRole('button', { name: 'Let it sign in' });
    await allow.waitFor();
    const wish = (await page.locator('main').textContent()) ?? '';
    await allow.click();
    await page.getByText('is signed in').waitFor();
    await page.close();
    return wish;
  }

  it('shows an administrator the service, once signed in for that too, and stops and disables nobody unasked', async () => {
    await window.onlyDotfiles();
    await window.page.locator('.sidebar .pane-header', { hasText: 'Dotfiles' }).click();
    await window.command('Spoon: Focus on Service View');
    await window.welcome('You may administer this service').waitFor();
    await window.command('Spoon: Sign In as Administrator');
    assert.match(await approve('admin-sign-in-code'), /administer the service/);
    const row = (label: string) => window.page.locator(`.sidebar .monaco-list-row[aria-label*="${label}"]`);
    await row('User ada, Ada Lovelace · administrator').waitFor();
    await row('Health, ').waitFor();
    await row('Disk, ').waitFor();
    await window.picture('service-view');
    const isDisabled = async () => {
      const { users } = await service.admin<{ users: { username: string; disabled: boolean }[] }>(
        'GET',
        '/v1/admin/users',
      );
      return users.find(({ username }) => username === 'bob')?.disabled;
    };
    await window.menu(row('User bob'), 'Disable User…');
    await window.dialog('Disable bob?').waitFor();
    await window.picture('service-disable');
    await window.pressDialogButton('Cancel');
    await window.dialog('Disable bob?').waitFor({ state: 'hidden' });
    assert.equal(await isDisabled(), false);
    await window.menu(row('User bob'), 'Disable User…');
    await window.pressDialogButton('Disable User');
    await row('User bob, Bob · disabled').waitFor();
    assert.equal(await isDisabled(), true);
    // The rows are made anew after Disable; a menu of one that is gone by then asks whom it is about, and a person tries again.
    await window.until(async () => {
      await window.menu(row('User bob'), 'Enable User…');
      const question = window.dialog('Enable bob?');
      await question.waitFor({ timeout: 10_000 }).catch(() => undefined);
      if (await question.isVisible()) return true;
      await window.page.keyboard.press('Escape');
      return false;
    });
    await window.pressDialogButton('Enable User');
    await window.pressNotificationButton('bob is enabled', 'Invite User…');
    await window.dialog('The invite for bob is ready.').waitFor();
    await window.picture('service-invite');
    await window.pressDialogButton('Copy Link');
  });

  it('no longer does for who is none any more', async () => {
    await service.admin('POST', `/v1/admin/users/${user.username}/demote`);
    await window.command('Spoon: Refresh Service View');
    await window.page.locator('.sidebar .pane-header', { hasText: 'Service' }).waitFor({ state: 'detached' });
  });
});
