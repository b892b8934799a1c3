import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packageExtension } from '../../scripts/buildExtension.ts';
import { RunningService, type TestUser } from '../runningService.ts';
import { Workbench } from './workbench.ts';

// Each action of the tree as a person does it, by mouse, by key and from the menus. One window for all of it.
describe('the Dotfiles tree in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-tree-'));
    const vsix = await packageExtension(join(folder, 'spoon.vsix'));
    service = await RunningService.start({ engine: 'process' });
    user = await service.addUser('Ada Lovelace');
    const signInFile = join(folder, 'sign-in.json');
    await writeFile(signInFile, JSON.stringify({ url: service.url, token: user.token }));
    const environment = { SPOON_SIGN_IN_FILE: signInFile };
    // A tooltip that pops up covers the next row.
    const settings = { 'workbench.hover.delay': 100_000 };
    window = await Workbench.open({ vsix, environment, settings, pictures: process.env.SPOON_TEST_PICTURES });
    await window.showSpoonView();
    await window.hint('Upload Files…').waitFor();
  });
  after(async () => {
    await window?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const stored = async (): Promise<string[]> => {
    const { dotfiles } = (await (await service.fetch(user, '/v1/dotfiles')).json()) as {
      dotfiles: { path: string; mode: number; kind: string }[];
    };
    return dotfiles.map(({ path, mode, kind }) => `${path} ${kind === 'symlink' ? 'link' : mode.toString(8)}`).sort();
  };
  const storedIs = async (...expected: string[]): Promise<void> => {
    const before = [...expected].sort();
    await window
      .until(async () => JSON.stringify(await stored()) === JSON.stringify(before))
      .catch(async () => assert.deepEqual(await stored(), before));
  };
  it('acts by key on the row that has the focus, not on the one that was clicked before', async () => {
    for (const path of ['.a1', '.b2', '.c3']) await service.put(user, path, path);
    for (const path of ['.a1', '.b2', '.c3']) await window.row(path).waitFor();
    await window.row('.a1').click();
    await window.tab('.a1').waitFor();
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('F2');
    await window.answer('Rename .b2', '.b9');
    await storedIs('.a1 644', '.b9 644', '.c3 644');
    await window.focusedRow('.b9').waitFor();
    await window.row('.a1').click();
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Delete');
    await storedIs('.a1 644', '.c3 644');
    await window.pressNotificationButton('.b9 was deleted', 'Undo');
    await storedIs('.a1 644', '.b9 644', '.c3 644');
    await window.focusedRow('.b9').waitFor();
  });

  it('copies and moves with the keys of the Explorer', async () => {
    await service.put(user, '.config/x', 'x');
    await window.row(/^\.config$/).waitFor();
    await window.row('.a1').click();
    await window.row('.c3').click({ modifiers: ['Control'] });
    await window.page.keyboard.press('Control+C');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await storedIs('.a1 644', '.b9 644', '.c3 644', '.config/.a1 644', '.config/.c3 644', '.config/x 644');
    await window.focusedRow('.a1').waitFor();
    await window.row('.b9').click();
    await window.focusDotfiles();
    await window.focusedRow('.b9').waitFor();
    await window.page.keyboard.press('Control+X');
    await window.picture('cut');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await storedIs('.a1 644', '.c3 644', '.config/.a1 644', '.config/.b9 644', '.config/.c3 644', '.config/x 644');
  });

  it('shows the history of a file, compares with it and goes back to it', async () => {
    const versions = ['one\n', 'two\n', 'three\n'];
    for (const text of versions) await service.put(user, '.versions', text);
    await window.row('.versions').waitFor();
    await window.menu(window.row('.versions'), 'Show Dotfile History…');
    await window.page.locator('.quick-input-title', { hasText: 'History of ~/.versions' }).waitFor();
    await window.picture('history');
    await window.pick('Version 1');
    await window.tab('.versions (version 1)').waitFor();
    await window.page.locator('.monaco-diff-editor', { hasText: 'three' }).waitFor();
    await window.picture('history-diff');
    await window.page.locator('.editor-actions .action-label[aria-label="Restore This Version"]').click();
    await window.notification('.versions is as it was in version 1').waitFor();
    assert.equal(await service.inBox(user, 'cat', '.versions'), 'one');
    await window.pressNotificationButton('is as it was in version 1', 'Undo');
    await window.until(async () => (await service.inBox(user, 'cat', '.versions')) === 'three');
  });

  it('brings back what was deleted, with its mode', async () => {
    await service.put(user, 'bin/tool', '#!/bin/sh\n');
    await service.put(user, 'bin/other', 'x');
    await window.row(/^bin$/).waitFor();
    await window.menu(window.row(/^bin$/), 'Delete');
    await window.row(/^bin$/).waitFor({ state: 'detached' });
    await window.command('Spoon: Restore Deleted Dotfiles…');
    await window.page.locator('.quick-input-title', { hasText: 'Restore Deleted Dotfiles' }).waitFor();
    await window.quickInput.fill('tool');
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Space');
    await window.picture('restore-deleted');
    await window.page.keyboard.press('Enter');
    await window.row(/^bin$/).waitFor();
    const inBin = (await stored()).filter((line) => line.startsWith('bin/'));
    assert.deepEqual(inBin, ['bin/tool 755']);
  });
});
