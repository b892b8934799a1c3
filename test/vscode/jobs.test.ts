import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { GitServer } from '../../boxd/testing/gitServer.ts';
import type { JobList } from '../../protocol/jobs.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

/**
 * A real service, box, git server and window. No model can be reached here: the agent is a stand-in, a shell that takes its prompt
 * for a script, configured as any agent is.
 */
describe('jobs in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let git: GitServer;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-jobs-'));
    git = await GitServer.start();
    git.repository('api', { 'README.md': '# api\n' });
    const authorities = join(folder, 'ca.pem');
    await writeFile(authorities, git.ca);
    service = await RunningService.start({
      engine: 'process',
      environment: {
        SPOON_GIT_HOSTS: git.host,
        SPOON_CA_FILE: authorities,
        SPOON_AGENT_COMMAND: `sh -c 'cd {dir} && eval "$1"' agent {prompt}`,
      },
    });
    user = await service.addUser('Ada Lovelace');
    const made = await service.fetch(user, '/v1/threads', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ spoon: 'api', branch: 'main', url: git.url('api.git') }),
    });
    assert.ok(made.ok, await made.clone().text());
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    const settings = { 'workbench.hover.delay': 100_000 };
    window = await Workbench.open({ environment, settings, pictures: process.env.SPOON_TEST_PICTURES });
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
    await window.onlyDotfiles();
    await window.command('Spoon: Focus on Jobs View');
  });
  after(async () => {
    await window?.picture('jobs-last');
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await git?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const jobs = async (): Promise<JobList['jobs']> =>
    ((await (await service.fetch(user, '/v1/jobs')).json()) as JobList).jobs;
  const row = (label: string) => window.page.locator(`.sidebar .monaco-list-row[aria-label*="${label}"]`);
  const newest = async () => (await jobs())[0];

  it('runs one in a thread, shows its log in colours as it comes, and counts it', async () => {
    await window.welcome('an agent that works in one of your threads').waitFor();
    await window.picture('jobs-empty');
    await window.command('Spoon: New Job…');
    await window.page.locator('.quick-input-widget', { hasText: 'New Job in api/main' }).waitFor();
    await window.picture('jobs-new');
    const prompt = `printf '\\033[32mworking\\033[0m\\n'; touch started; until [ -e go ]; do sleep 0.1; done; rm started go; echo more >> README.md; echo finished`;
    await window.answer('New Job in api/main', prompt);
    await window.page.locator('.terminal-wrapper.active .xterm').waitFor({ timeout: 60_000 });
    await window.waitForTerminal(/^working$/m, 60_000);
    await row('api/main, running').waitFor();
    const badge = window.page.locator('.activitybar .action-item', {
      has: window.page.locator('a[aria-label^="Spoon"]'),
    });
    await badge.locator('.badge-content', { hasText: '1' }).waitFor();
    await window.picture('jobs-running');
    await service.inBox(user, 'touch', 'Code/api/main/go');
    await window.waitForTerminal(/succeeded after/, 60_000);
    assert.match(await window.terminalText(), /finished/);
    await row('api/main, succeeded').waitFor();
    await badge.locator('.badge-content', { hasText: '1' }).waitFor({ state: 'detached' });
    await window.picture('jobs-ended');
    assert.equal(await window.notification('api/main').count(), 0, 'what went well is not told unless that is wanted');
  });

  it('shows what it changed, and its log as text', async () => {
    await window.menu(row('api/main, succeeded'), 'Show Job Diff');
    await window.page.locator('.tab', { hasText: '.diff' }).waitFor();
    await window.page.locator('.view-lines', { hasText: '+more' }).waitFor();
    await window.picture('jobs-diff');
    await window.menu(row('api/main, succeeded'), 'Open Job Log as Text');
    await window.page.locator('.tab', { hasText: '.log' }).waitFor();
    await window.page.locator('.view-lines', { hasText: 'finished' }).waitFor();
  });

  it('cancels one with all that it started, when that is meant', async () => {
    await window.command('Spoon: New Job…');
    await window.answer('New Job in api/main', 'echo begun; sleep 4242; echo never');
    await window.waitForTerminal(/^begun$/m, 60_000);
    await window.menu(row('api/main, running'), 'Cancel Job…');
    await window.dialog('Cancel the job in api/main?').waitFor();
    await window.picture('jobs-cancel');
    await window.pressDialogButton('Cancel Job');
    await window.waitForTerminal(/cancelled after/, 60_000);
    await row('api/main, cancelled').waitFor();
    const left = await service.inBox(user, 'sh', '-c', 'ps -eo args | grep "[s]leep 4242" || true');
    assert.equal(left, '');
    await window.page.keyboard.press('Escape');
  });

  it('runs one again, and tells once of one that failed', async () => {
    await window.command('Spoon: New Job…');
    await window.answer('New Job in api/main', 'echo tried; exit 3');
    await window.waitForTerminal(/failed, exit code 3/, 60_000);
    await window.notification(/api\/main: echo tried; exit 3: failed, exit code 3/).waitFor();
    await window.picture('jobs-failed');
    assert.equal(await window.notification('exit code 3').count(), 1);
    const first = await newest();
    await window.pressNotificationButton('exit code 3', 'Retry');
    await window.until(async () => (await newest())?.retryOf === first?.id);
    await window.until(async () => (await newest())?.state === 'failed', 60_000);
  });

  it('takes a prompt of several lines from an editor', async () => {
    await window.clearNotifications();
    await window.command('Spoon: New Job…');
    await window.page.locator('.quick-input-widget', { hasText: 'New Job in api/main' }).waitFor();
    await window.page.locator('.quick-input-widget .action-label[aria-label^="Write Several Lines"]').click();
    await window.tab('Untitled-1').waitFor();
    await window.page.keyboard.insertText('echo line one\necho line two\n');
    await window.picture('jobs-prompt');
    await window.page.locator('.editor-actions .action-label[aria-label="Run as Job"]').click();
    await window.waitForTerminal(/^line one\nline two$/m, 60_000);
    await window.tab('Untitled-1').waitFor({ state: 'detached' });
  });

  it('shows a flood of what may not act on a terminal to its end, and lets none of it act', async () => {
    await window.command('Spoon: New Job…');
    await window.answer('New Job in api/main', `seq 100000 | sed 's/.*/\\x1b]0;taken &\\x07/'; echo through`);
    await window.waitForTerminal(/^through$/m, 60_000);
    await window.waitForTerminal(/succeeded after/, 60_000);
    assert.equal(await window.page.locator('.terminal-outer-container', { hasText: 'taken' }).count(), 0);
  });

  it('finds a text in the logs, and forgets jobs that have ended', async () => {
    await window.command('Spoon: Search Job Logs…');
    await window.answer('A text in prompts and logs', 'finished');
    await window.pick('finished');
    await window.page.locator('.tab.active', { hasText: '.log' }).waitFor();
    await window.picture('jobs-search');
    await window.command('Spoon: Clear Finished Jobs…');
    await window.dialog('Forget the jobs that have ended').waitFor();
    await window.pressDialogButton('Forget');
    await window.welcome('an agent that works in one of your threads').waitFor();
    assert.deepEqual(await jobs(), []);
  });

  it('keeps what it knows while the service is away, and says so', async () => {
    await window.command('Spoon: New Job…');
    await window.answer('New Job in api/main', 'echo last');
    await row('api/main, succeeded').waitFor({ timeout: 60_000 });
    await service.kill('SIGKILL');
    await window.statusBar('offline').waitFor();
    await row('api/main, succeeded').waitFor();
    await service.launch();
    await window.statusBar('offline').waitFor({ state: 'detached', timeout: 60_000 });
    await row('api/main, succeeded').waitFor();
  });
});
