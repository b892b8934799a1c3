import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningService, TestUser } from '../runningService.ts';
import { onDisk, SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// Many files at once, by drop, dialog and menu, with what can go wrong on the way.
describe('uploads and downloads in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let home: SignedInWindow;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    home = await SignedInWindow.open();
    ({ service, user, window, folder } = home);
    await home.showTree();
  });
  after(() => home?.[Symbol.asyncDispose]());

  it('uploads what is in a folder of a thousand files', async (test) => {
    await Promise.all(
      Array.from({ length: 1001 }, (_, index) =>
        onDisk(join(window.folder, `dots/.config/app${index % 25}/file${index}`), `${index}\n`),
      ),
    );
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${window.folder}/dots/`, 'Import');
    const startedMs = performance.now();
    await window.statusBar('1001 dotfiles uploaded').waitFor({ timeout: 60_000 });
    test.diagnostic(`a folder of 1,001 files: ${(performance.now() - startedMs).toFixed(0)} ms`);
    assert.equal((await home.stored()).filter((line) => line.startsWith('.config/app')).length, 1001);
  });

  it('is cancelled in the middle, says what is in, and no file is half there', async () => {
    const text = 'x'.repeat(100_000);
    const names = Array.from({ length: 400 }, (_, index) => `big/cancel/file${index}`);
    await Promise.all(names.map((name) => onDisk(join(window.folder, name), text)));
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${window.folder}/big/`, 'Import');
    const progress = window.notification('Uploading dotfiles');
    await progress.filter({ hasText: /\d+ of 400 files/ }).waitFor();
    await progress.locator('.monaco-button', { hasText: 'Cancel' }).click();
    const report = window.notification(/Cancelled\. (\d+) of 400 files were uploaded and stay\./);
    await report.waitFor();
    const [, count] = /(\d+) of 400/.exec((await report.textContent()) ?? '') ?? [];
    const arrived = (await home.dotfiles()).filter(({ path }) => path.startsWith('cancel/'));
    assert.equal(arrived.length, Number(count));
    assert.ok(arrived.length < 400, 'it was cancelled in time');
    assert.ok(arrived.every(({ size }) => size === text.length));
    await window.pressNotificationButton('Cancelled', 'Show Details');
    await window.page.locator('.monaco-editor', { hasText: `Not uploaded (${400 - arrived.length})` }).waitFor();
  });

  it('says of each file that was refused why, and the rest goes in', async () => {
    await onDisk(join(folder, 'some/large.bin'), 'x'.repeat(10 * 1024 * 1024 + 1));
    await onDisk(join(folder, 'some/fine'), 'fine');
    await onDisk(join(folder, 'many/file'), 'in a folder');
    await service.put(user, 'bin/tool', 'x');
    await window.row(/^bin$/).waitFor();
    await window.collapseAll();
    await window.dropFiles(window.row(/^bin$/), [
      join(folder, 'some/large.bin'),
      join(folder, 'some/fine'),
      join(folder, 'many'),
    ]);
    await window.pressNotificationButton('1 of 3 files were uploaded and stay. 2 were refused.', 'Show Details');
    const report = window.page.locator('.monaco-editor', { hasText: 'Refused (2)' });
    await report.waitFor();
    await window.picture('refused');
    const text = ((await report.textContent()) ?? '').replaceAll('\u00a0', ' ');
    assert.match(text, /large\.bin: It is larger than 10 MiB/);
    assert.match(text, /many: A browser does not let folders be read from a drop\. Use Upload Dotfiles Folder/);
    assert.equal(await service.inBox(user, 'cat', 'bin/fine'), 'fine');
  });

  it('downloads a folder with its modes and links', async () => {
    await service.put(user, 'give/run.sh', '#!/bin/sh\n');
    await service.put(user, 'give/deep/er/file', 'deep');
    await window.collapseAll();
    await window.row(/^give$/).waitFor();
    const target = join(folder, 'taken');
    await mkdir(target);
    await window.menu(window.row(/^give$/), 'Download…');
    await window.answerFileDialog('Download Dotfiles into a Folder', `${target}/`, 'Download Here');
    await window.picture('download');
    await window.until(
      async () => existsSync(join(target, 'give/deep/er/file')) && existsSync(join(target, 'give/run.sh')),
    );
    assert.equal(await readFile(join(target, 'give/deep/er/file'), 'utf8'), 'deep');
    await window.until(async () => ((await stat(join(target, 'give/run.sh'))).mode & 0o777) === 0o755);
  });
});
