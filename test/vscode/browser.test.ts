import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { provisionChromium } from '../../scripts/provision/vscode.ts';
import { findStragglers } from '../../scripts/test/traces.ts';
import { chromiumArguments } from './extensionHost.ts';

describe('npm run up -- --browser', { timeout: 180_000 }, () => {
  it('opens VS Code signed in, with the empty home that is there, and leaves nothing running', async (test) => {
    const home = await mkdtemp(join(tmpdir(), 'spoon-up-browser-'));
    test.after(() => rm(home, { recursive: true, force: true }));
    const settings = {
      HOME: home,
      // What was brought already need not be brought again for this home.
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache'),
      SPOON_AGENT_WORKDIR: join(home, 'work'),
      SPOON_ENGINE: 'process',
      SPOON_LISTEN: '127.0.0.1:0',
    };
    const script = join(import.meta.dirname, '../../scripts/up.ts');
    const up = spawn(process.execPath, [script, '--json', '--browser'], {
      env: { PATH: process.env.PATH, ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    test.after(() => up.kill('SIGKILL'));
    const ended = once(up, 'exit');
    const [line] = (await Promise.race([
      once(createInterface({ input: up.stdout }), 'line'),
      ended.then(() => assert.fail('up ended before it was ready')),
    ])) as [string];
    const ready = JSON.parse(line) as { url: string; browser: string };

    const browser = await chromium.launch({ executablePath: await provisionChromium(), args: chromiumArguments });
    test.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(ready.browser);
    await page.locator('.statusbar .statusbar-item', { hasText: new URL(ready.url).host }).waitFor({ timeout: 60_000 });
    await page.locator('.sidebar .monaco-list-row', { hasText: 'Upload Files…' }).waitFor({ timeout: 20_000 });
    await browser.close();

    up.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(await findStragglers(`HOME=${home}`, home), []);
  });
});
