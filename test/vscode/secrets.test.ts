import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SecretList } from '../../protocol/secrets.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { filesHolding, storedInBrowser } from './traces.ts';
import { Workbench } from './workbench.ts';

/** Made here: no vendor's form, and nothing in this repository that looks like a key. */
const token = `demo${randomBytes(24).toString('base64url')}9`;
const values = ['value one of first', 'value two of first', 'two words', token];

// The Secrets view as a person uses it, against the real service. One window for all of it.
describe('secrets in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-secrets-'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    const settings = { 'workbench.hover.delay': 100_000 };
    window = await Workbench.open({ environment, settings, pictures: process.env.SPOON_TEST_PICTURES });
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

  it('moves a token out of a dotfile that was dropped; the variable is there, the file no longer holds it', async () => {
    const path = join(folder, '.demorc.sh');
    await writeFile(path, `alias ll='ls -l'\nexport DEMO_API_TOKEN="${token}"\n`);
    await window.dropFiles(window.hint('Upload Files…'), [path]);
    await window.row('.demorc.sh').waitFor();
    await window.notification(/\.demorc\.sh looks as if it holds a password or token \(line 2\)/).waitFor();
    await window.picture('secrets-hint');
    await window.pressNotificationButton('.demorc.sh looks as if', 'Move to Secrets…');
    await window.page.locator('.quick-input-widget', { hasText: 'Move to Secrets from .demorc.sh' }).waitFor();
    assert.equal(await window.quickInput.inputValue(), 'DEMO_API_TOKEN');
    await window.picture('secrets-move-name');
    await window.page.keyboard.press('Enter');
    await window.notification('DEMO_API_TOKEN is a secret now, and .demorc.sh refers to it').waitFor();
    await window.row('DEMO_API_TOKEN').waitFor();
    await window.picture('secrets-moved');
    const content = async (version = ''): Promise<string> =>
      (await service.fetch(user, `/v1/dotfiles/content?path=.demorc.sh${version}`)).text();
    assert.equal(await content(), `alias ll='ls -l'\nexport DEMO_API_TOKEN="$DEMO_API_TOKEN"\n`);
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.pick('Home');
    });
    await window.typeInTerminal(
      '. ~/.demorc.sh; printf "<%s>\\n" "$(printenv DEMO_API_TOKEN | sha256sum | cut -c1-16)"\n',
    );
    await window.waitForTerminal(`<${createHash('sha256').update(`${token}\n`).digest('hex').slice(0, 16)}>`);
    await window.picture('secrets-terminal');
    assert.doesNotMatch(await service.inBox(user, 'cat', '.demorc.sh'), new RegExp(token));

    // Its first version still holds the value, until it is forgotten.
    assert.match(await content('&version=1'), new RegExp(token));
    await window.pressNotificationButton('DEMO_API_TOKEN is a secret now', 'Forget Earlier Versions…');
    await window.dialog('Forget 1 earlier version of .demorc.sh?').waitFor();
    await window.picture('secrets-forget');
    await window.pressDialogButton('Forget');
    await window.until(async () => /not-found/.test(await content('&version=1')));
  });

  it('undoes a move as a whole', async () => {
    const text = `curl -H 'X-Api-Key: ${token}' https://api.test\n`;
    await service.put(user, '.undo.sh', text);
    await window.menu(window.row('.undo.sh'), 'Move to Secrets…');
    await window.answer('Move to Secrets from .undo.sh', 'UNDO_TOKEN');
    await window.row('UNDO_TOKEN').waitFor();
    const content = async (): Promise<string> =>
      (await service.fetch(user, '/v1/dotfiles/content?path=.undo.sh')).text();
    assert.equal(await content(), `curl -H 'X-Api-Key: '"$UNDO_TOKEN"'' https://api.test\n`);
    await window.pressNotificationButton('UNDO_TOKEN is a secret now', 'Undo');
    await window.row('UNDO_TOKEN').waitFor({ state: 'detached' });
    assert.equal(await content(), text);
  });

  it('says which open shells are older, when a value is replaced', async () => {
    await window.menu(window.row('FIRST_KEY'), 'Replace Secret Value…');
    await window.answer('Value of FIRST_KEY', 'value two of first');
    await window.notification(/FIRST_KEY is set\. 1 open shell is older than this value/).waitFor();
    const row = window.page.locator(
      '.sidebar .monaco-list-row[aria-label*="FIRST_KEY"][aria-label*="1 open shell is older"]',
    );
    await row.waitFor();
    await row.click();
    await window.page.keyboard.press('ArrowRight');
    await window.hint('started before this value').waitFor();
    await window.picture('secrets-older');
    assert.equal(await inShell('FIRST_KEY'), 'value two of first');
    await window.command('Terminal: Kill the Active Terminal Instance');
    await row.waitFor({ state: 'detached' });
  });

  it('changes where one appears without its value, copies its name, and deletes it when that is meant', async () => {
    await window.menu(window.row('FIRST_KEY'), 'Change Secret Scope…');
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Jobs' }).first().click();
    await window.page.keyboard.press('Enter');
    await window.hint('shells, setup and jobs').waitFor();
    assert.equal(await inShell('FIRST_KEY'), 'value two of first');
    await window.menu(window.row('FIRST_KEY'), 'Copy Secret Name');
    await window.until(async () => (await window.page.evaluate(() => navigator.clipboard.readText())) === 'FIRST_KEY');
    await window.menu(window.row('FIRST_KEY'), 'Delete Secret…');
    await window.dialog('Delete the secret FIRST_KEY').waitFor();
    await window.picture('secrets-delete');
    await window.pressDialogButton('Cancel');
    assert.ok((await listed()).some(({ name }) => name === 'FIRST_KEY'));
    await window.menu(window.row('FIRST_KEY'), 'Delete Secret…');
    await window.pressDialogButton('Delete');
    await window.row('FIRST_KEY').waitFor({ state: 'detached' });
    assert.ok(!(await listed()).some(({ name }) => name === 'FIRST_KEY'));
  });

  it('imports a .env file: names to choose from, the others with their reasons', async () => {
    const path = join(folder, 'service.env');
    const lines = [
      '# of the service',
      'API_ONE=one',
      `API_TWO='two words' # why`,
      'API_THREE=three',
      'PATH=/bin',
      'lower=x',
    ];
    await writeFile(path, `${lines.join('\n')}\n`);
    await window.command('Spoon: Import Secrets from .env…');
    await window.answerFileDialog('Import Secrets from .env', path, 'Import');
    const list = window.page.locator('.quick-input-list');
    await list.filter({ hasText: /PATH.*is one that the shell or Spoon relies on/ }).waitFor();
    await window.picture('secrets-import');
    await list.locator('.monaco-list-row', { hasText: 'PATH' }).click();
    await list.locator('.monaco-list-row', { hasText: 'API_THREE' }).click();
    await window.page.keyboard.press('Enter');
    await window.notification('2 secrets were set').waitFor();
    await window.row('API_TWO').waitFor();
    assert.equal(await inShell('API_TWO'), 'two words');
    assert.ok(!(await listed()).some(({ name }) => name === 'API_THREE'));
  });

  it('asks when the service has another key for secrets than before', async () => {
    assert.equal((await service.spoonctl(user, ['secrets', 'new-key'])).code, 0);
    await window.command('Spoon: Replace Secret Value…');
    await window.pick('API_ONE');
    await window.answer('Value of API_ONE', 'one more');
    await window.dialog('has another key for secrets').waitFor();
    await window.picture('secrets-other-key');
    await window.pressDialogButton('Cancel');
    assert.equal(await inShell('API_ONE'), 'one');
    await window.command('Spoon: Replace Secret Value…');
    await window.pick('API_ONE');
    await window.answer('Value of API_ONE', 'one more');
    await window.pressDialogButton('Use the New Key');
    await window.until(async () => (await inShell('API_ONE')) === 'one more');
  });

  it('takes a value of several lines from a file', async () => {
    const path = join(folder, 'deploy.key');
    await writeFile(path, 'first line\nsecond line\n');
    await window.command('Spoon: New Secret…');
    await window.answer('Name of the environment variable', 'DEPLOY_KEY');
    await window.page.locator('.quick-input-widget', { hasText: 'Value of DEPLOY_KEY' }).waitFor();
    await window.page.locator('.quick-input-widget .action-label[aria-label^="Take the Value from a File"]').click();
    await window.answerFileDialog('Value of a Secret', path, 'Take as Value');
    await window.page.locator('.quick-input-title', { hasText: '3/3' }).waitFor();
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'As a File' }).click();
    await window.page.keyboard.press('Enter');
    await window.row('DEPLOY_KEY').waitFor();
    assert.equal(await service.inBox(user, 'sh', '-c', 'cat "$DEPLOY_KEY"'), 'first line\nsecond line');
  });

  it('shows what another program has set, keeps it while the service is away, and says so', async () => {
    const set = await service.spoonctl(user, ['secrets', 'set', 'FROM_SHELL', '--file'], 'elsewhere');
    assert.equal(set.code, 0, set.stderr);
    await window.row('FROM_SHELL').waitFor();
    await window.picture('secrets-filled');
    await service.kill('SIGKILL');
    await window.statusBar('offline').waitFor();
    await window.command('Spoon: New Secret…');
    await window.notification(/does not answer/).waitFor();
    await window.row('FROM_SHELL').waitFor();
    await window.picture('secrets-offline');
    await service.launch();
    await window.statusBar('offline').waitFor({ state: 'detached', timeout: 60_000 });
  });

  it('leaves no value in a log, and none in what VS Code stores', async () => {
    const log = await window.extensionLog();
    assert.match(log, /active after/);
    for (const value of values) assert.ok(!log.includes(value));
    assert.deepEqual(await filesHolding(window.dataFolder, values), []);
    assert.notDeepEqual(await filesHolding(window.dataFolder, ['active after']), []);
    const stored = await storedInBrowser(window.page);
    assert.ok(stored.includes('spoon-dev.spoon'));
    for (const value of values) assert.ok(!stored.includes(value));
    await window.command('Spoon: Copy Diagnostics');
    await window.until(async () =>
      /Connection:/.test(await window.page.evaluate(() => navigator.clipboard.readText())),
    );
    const diagnostics = await window.page.evaluate(() => navigator.clipboard.readText());
    for (const value of [...values, 'DEMO_API_TOKEN']) assert.ok(!diagnostics.includes(value));
  });
});
