import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningService, TestUser } from '../runningService.ts';
import { reportWhenFailing } from './failedWindows.ts';
import { onDisk, SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// Each action of the tree as a person does it, by mouse, by key and from the menus. One window for all of it.
describe('the Dotfiles tree in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let home: SignedInWindow;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;

  before(async () => {
    home = await SignedInWindow.open();
    ({ service, user, window } = home);
    await home.showTree();
  });
  after(() => home?.[Symbol.asyncDispose]());

  it('acts by key on the row that has the focus, not on the one that was clicked before', async () => {
    for (const path of ['.a1', '.b2', '.c3']) await service.put(user, path, path);
    for (const path of ['.a1', '.b2', '.c3']) await window.row(path).waitFor();
    await window.openRow('.a1');
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('F2');
    await window.answer('Rename .b2', '.b9');
    await home.storedIs('.a1 644', '.b9 644', '.c3 644');
    await window.focusedRow('.b9').waitFor();
    await window.row('.a1').click();
    await window.focusDotfiles();
    await window.page.keyboard.press('ArrowDown');
    await window.page.keyboard.press('Delete');
    await home.storedIs('.a1 644', '.c3 644');
    await window.pressNotificationButton('.b9 was deleted', 'Undo');
    await home.storedIs('.a1 644', '.b9 644', '.c3 644');
    await window.focusedRow('.b9').waitFor();
  });

  it('copies and moves with the keys of the Explorer', async () => {
    await service.put(user, '.config/x', 'x');
    await window.row(/^\.config$/).waitFor();
    await window.openRow('.a1');
    await window.row('.c3').click({ modifiers: ['Control'] });
    await window.page.keyboard.press('Control+C');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await home.storedIs('.a1 644', '.b9 644', '.c3 644', '.config/.a1 644', '.config/.c3 644', '.config/x 644');
    await window.focusedRow('.a1').waitFor();
    await window.row('.b9').click();
    await window.focusDotfiles();
    await window.focusedRow('.b9').waitFor();
    await window.page.keyboard.press('Control+X');
    await window.picture('cut');
    await window.row(/^\.config$/).click();
    await window.page.keyboard.press('Control+V');
    await home.storedIs('.a1 644', '.c3 644', '.config/.a1 644', '.config/.b9 644', '.config/.c3 644', '.config/x 644');
    await window.focusedRow('.b9').waitFor();
  });

  it('pastes what was copied, however late the copy is dealt with', async () => {
    await service.put(user, '.late', 'x');
    await window.row(/^\.late$/).click();
    await window.focusDotfiles();
    await window.focusedRow(/^\.late$/).waitFor();
    const host = await window.extensionHostPid();
    process.kill(host, 'SIGSTOP');
    try {
      await window.page.keyboard.press('Control+C');
      await window.page.keyboard.press('Control+V');
    } finally {
      process.kill(host, 'SIGCONT');
    }
    await window.focusedRow('.late copy').waitFor();
    await window.page.keyboard.press('Delete');
    await window.row('.late copy').waitFor({ state: 'detached' });
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
    const inBin = (await home.stored()).filter((line) => line.startsWith('bin/'));
    assert.deepEqual(inBin, ['bin/tool 755']);
  });

  it('hints once at what looks like a secret, and never again when that is fine', async () => {
    await service.put(user, '.netrc', 'machine example.org\n');
    await window.openRow('.netrc');
    const secret = 'machine example.org login ada password r4nd0mV4lueX9\n';
    await window.writeInEditor(secret);
    await window.save();
    await window.notification(/\.netrc looks as if it holds a password \(line 1\)/).waitFor();
    await window.picture('secret');
    await window.pressNotificationButton('.netrc looks as if', 'Fine for This File');
    await window.until(async () =>
      (await home.dotfiles()).some(({ path, secretsSilenced }) => path === '.netrc' && secretsSilenced),
    );
    await window.writeInEditor(`# changed\n${secret}`);
    await window.save();
    // Hints come in the order of the saves: with the one for another file, this one's would be there.
    await service.put(user, '.pgpass', '# empty\n');
    await window.openRow('.pgpass');
    await window.writeInEditor('localhost:5432:*:ada:r4nd0mV4lueX9\n');
    await window.save();
    await window.notification('.pgpass looks as if it holds').waitFor();
    assert.equal(await window.notification('.netrc looks as if it holds').count(), 0);
  });

  it('takes a folder that is dragged over from the Explorer, links and modes included', async () => {
    const disk = join(window.folder, 'nvim');
    await onDisk(join(disk, 'init.lua'), 'vim.o.number = true\n');
    await onDisk(join(disk, 'bin/run me.sh'), '#!/bin/sh\n', 0o755);
    await onDisk(join(disk, 'names/100% #1 🥄'), 'x');
    await onDisk(join(disk, 'names/-rf'), '');
    await symlink('../init.lua', join(disk, 'names/link'));
    await window.dragFromExplorer('nvim', window.row('.versions'));
    await window.until(async () => (await home.stored()).filter((line) => line.startsWith('nvim/')).length === 5);
    const arrived = (await home.stored()).filter((line) => line.startsWith('nvim/'));
    assert.deepEqual(arrived, [
      'nvim/bin/run me.sh 755',
      'nvim/init.lua 644',
      'nvim/names/-rf 644',
      'nvim/names/100% #1 🥄 644',
      'nvim/names/link link',
    ]);
  });

  it('moves what is dragged inside it', async () => {
    await window.row(/^nvim$/).waitFor();
    await window.dragInTree(window.row('.netrc'), window.row(/^nvim$/));
    await window.until(async () => (await home.stored()).includes('nvim/.netrc 600'));
    assert.ok(!(await home.stored()).some((line) => line.startsWith('.netrc')));
  });

  it('shows what was changed in the box, and takes or restores it', async () => {
    await service.put(user, '.hand', 'stored\n');
    assert.equal(await service.inBox(user, 'cat', '.hand'), 'stored');
    await service.inBox(user, 'sh', '-c', 'echo by hand > .hand');
    const changed = window.page.locator('.sidebar .monaco-list-row[aria-label*=".hand, file, Changed in the box"]');
    await changed.waitFor();
    await window.picture('drift');
    await window.menu(changed, 'Compare with Home');
    await window.tab('.hand (in the box)').waitFor();
    await window.page.locator('.monaco-diff-editor', { hasText: 'by' }).waitFor();
    await window.picture('drift-diff');
    await window.menu(changed, 'Restore in Home');
    await changed.waitFor({ state: 'detached' });
    assert.equal(await service.inBox(user, 'cat', '.hand'), 'stored');
    await service.inBox(user, 'sh', '-c', 'echo again by hand > .hand');
    await changed.waitFor();
    await window.menu(changed, 'Take into Overlay');
    await changed.waitFor({ state: 'detached' });
    assert.equal(await (await service.fetch(user, '/v1/dotfiles/content?path=.hand')).text(), 'again by hand\n');
  });

  it('merges a change in the box with one made here, and loses neither', async () => {
    await service.put(user, '.both', 'first\nmiddle\nlast\n');
    assert.match(await service.inBox(user, 'cat', '.both'), /middle/);
    await window.openRow('.both');
    await service.inBox(user, 'sed', '-i', 's/first/FIRST/', '.both');
    await window.page.locator('.sidebar .monaco-list-row[aria-label*=".both, file, Changed in the box"]').waitFor();
    await window.writeInEditor('first\nmiddle\nLAST\n');
    await window.save();
    await window.pressNotificationButton('.both was changed in the box and in Spoon', 'Merge…');
    await window.page.locator('.merge-editor').waitFor();
    await window.picture('merge');
    await window.page.locator('.merge-editor a', { hasText: 'Accept Combination' }).first().click();
    await window.page.locator('.merge-editor', { hasText: '0 Conflicts Remaining' }).waitFor();
    await window.picture('merged');
    await window.page.keyboard.press('Control+S');
    await window.until(async () => (await service.inBox(user, 'cat', '.both')) === 'FIRST\nmiddle\nLAST');
    await window.page.locator('.sidebar .monaco-list-row[aria-label=".both, file"]').waitFor();
  });

  it('asks before a save would lose a change of the same size made elsewhere', async () => {
    await service.put(user, '.same', 'aaa\n');
    await window.openRow('.same');
    await window.writeInEditor('bbb\n');
    await service.put(user, '.same', 'ccc\n');
    await window.page.keyboard.press('Control+S');
    await window.dialog('.same was changed elsewhere').waitFor();
    await window.picture('same-size');
    await window.pressDialogButton('Compare');
    await window.tab('.same (on the service)').waitFor();
    await window.page.locator('.monaco-diff-editor', { hasText: 'ccc' }).waitFor();
    await window.clearNotifications();
    await window.page.keyboard.press('Control+S');
    await window.dialog('.same was changed elsewhere').waitFor();
    await window.pressDialogButton('Overwrite');
    await window.until(async () => (await service.inBox(user, 'cat', '.same')) === 'bbb');
  });

  it('lets VS Code ask where the size differs, and overwrites when told', async () => {
    await service.put(user, '.size', 'a\n');
    await window.openRow('.size');
    await window.writeInEditor('mine\n');
    await service.put(user, '.size', 'somebody else\n');
    await window.page.keyboard.press('Control+S');
    await window.pressNotificationButton(/The content of the file is newer/, 'Overwrite');
    await window.page.locator('.tab.active.dirty').waitFor({ state: 'detached' });
    assert.equal(await service.inBox(user, 'cat', '.size'), 'mine');
  });

  it('says why a file is as it is', async () => {
    const why = window.page.locator('.quick-input-title', { hasText: 'Why ~/.hand Is Like This' });
    // The tree may be read anew while the menu is open, and a person then chooses once more.
    await window.until(async () => {
      await window.menu(window.row('.hand'), 'Why Is This File Like This…');
      await why.or(window.notification('Choose the row once more')).first().waitFor();
      return await why.isVisible();
    });
    await window.page
      .locator('.quick-input-list .monaco-list-row', { hasText: /Overlay: these dotfiles.*wins/ })
      .waitFor();
    await window.picture('layers');
    await window.page.keyboard.press('Escape');
  });

  it('asks in the second of two windows that save the same file, though the size is the same', async () => {
    await service.put(user, '.twice', 'aaa\n');
    await window.openRow('.twice');
    await window.writeInEditor('bbb\n');
    await using other = await window.newWindow(() => window.command('Spoon: Open Dotfiles in Explorer'));
    // Whoever was handed a sign-in is shown the tree first, in each new window.
    await other.row(/^\.config$/).waitFor();
    await other.page.locator('.activitybar .action-item a[aria-label^="Explorer"]').click();
    await other.page.locator('.explorer-folders-view .monaco-list-row', { hasText: '.twice' }).click();
    await other.tab('.twice').waitFor();
    await other.writeInEditor('ccc\n');
    await other.save();
    await window.page.bringToFront();
    await window.page.keyboard.press('Control+S');
    await window.dialog('.twice was changed elsewhere').waitFor();
    assert.equal(await service.inBox(user, 'cat', '.twice'), 'ccc');
    await window.pressDialogButton('Overwrite');
    await window.until(async () => (await service.inBox(user, 'cat', '.twice')) === 'bbb');
  });

  it('opens in the Explorer of another window, with everything that one can do', async () => {
    const { page } = window;
    const opened = page.context().waitForEvent('page');
    await window.command('Spoon: Open Dotfiles in Explorer');
    const other = await opened;
    reportWhenFailing(other);
    const row = (name: string) => other.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
    // Whoever was handed a sign-in is shown the tree first, in each new window.
    await other.locator('.sidebar .monaco-list-row', { hasText: '.config' }).waitFor({ timeout: 120_000 });
    await other.locator('.activitybar .action-item a[aria-label^="Explorer"]').click();
    await row('.hand').waitFor();
    await row('.hand').click();
    await other.locator('.tab', { hasText: '.hand' }).waitFor();
    await row('.hand').click();
    await other.keyboard.press('F2');
    await other.locator('.explorer-item-edited input').fill('.renamed');
    await other.keyboard.press('Enter');
    await row('.renamed').waitFor();
    await window.row('.renamed').waitFor();
    await other.close();
    assert.ok((await home.stored()).includes('.renamed 644'));
  });
});
