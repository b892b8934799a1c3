import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SecretList } from '../../protocol/secrets.ts';
import { packageExtension } from '../../scripts/buildExtension.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// The Secrets view as a person uses it, against the real service. One window for all of it.
describe('secrets in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-secrets-'));
    const vsix = await packageExtension(join(folder, 'spoon.vsix'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    const settings = { 'workbench.hover.delay': 100_000 };
    window = await Workbench.open({ vsix, environment, settings, pictures: process.env.SPOON_TEST_PICTURES });
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
    await window.onlyDotfiles();
    await window.command('Spoon: Focus on Secrets View');
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const listed = async (): Promise<SecretList['secrets']> =>
    ((await (await service.fetch(user, '/v1/secrets')).json()) as SecretList).secrets;
  const inShell = (name: string): Promise<string> => service.inBox(user, 'printenv', name);

  it('says what they are for while there are none, and makes one whose value is never shown', async () => {
    await window.welcome('so that they are in no dotfile').waitFor();
    await window.picture('secrets-empty');
    await window.command('Spoon: New Secret…');
    await window.quickInput.fill('api_key');
    await window.page.locator('.quick-input-message', { hasText: 'A-Z' }).waitFor();
    await window.picture('secrets-name');
    await window.answer('Name of the environment variable', 'FIRST_KEY');
    await window.page.locator('.quick-input-widget', { hasText: 'Value of FIRST_KEY' }).waitFor();
    assert.equal(await window.quickInput.getAttribute('type'), 'password');
    await window.quickInput.fill('value one of first');
    await window.picture('secrets-value');
    await window.page.keyboard.press('Enter');
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Setup' }).first().click();
    await window.picture('secrets-where');
    await window.page.keyboard.press('Enter');
    await window.row('FIRST_KEY').waitFor();
    assert.deepEqual(
      (await listed()).map(({ name, scopes, spoon }) => ({ name, scopes, spoon })),
      [{ name: 'FIRST_KEY', scopes: ['shells', 'setup'], spoon: null }],
    );
    assert.equal(await inShell('FIRST_KEY'), 'value one of first');
    await window.picture('secrets-one');
  });
});
