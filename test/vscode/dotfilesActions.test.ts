import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningService, TestUser } from '../runningService.ts';
import { onDisk, SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// What the menu of a row offers beyond the keys, and what leaves the tree.
describe('the actions of the Dotfiles tree in VS Code', { concurrency: false, timeout: 600_000 }, () => {
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

  const dotfile = (path: string, text: string) => service.put(user, path, text);
  const row = (name: string) => window.row(new RegExp(`^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`));

  it('makes folders, and files in them', async () => {
    await window.command('Spoon: New Dotfiles Folder…');
    await window.answer('New Dotfiles Folder', '.config');
    await window.focusedRow(/^\.config$/).waitFor();
    await window.menu(row('.config'), 'New Dotfile…');
    await window.answer('New Dotfile', '.config/starship.toml');
    await window.tab('starship.toml').waitFor();
    await home.storedIs('.config 755', '.config/starship.toml 644');
    await window.menu(row('.config'), 'Delete');
    await home.storedIs();
  });

  it('duplicates one under the name that is given, and several under free ones', async () => {
    await dotfile('.vimrc', 'set number\n');
    await dotfile('.inputrc', 'set bell-style none\n');
    await row('.vimrc').waitFor();
    await window.menu(row('.vimrc'), 'Duplicate…');
    await window.answer('Duplicate .vimrc', '.exrc');
    await window.tab('.exrc').waitFor();
    await home.storedIs('.exrc 644', '.inputrc 644', '.vimrc 644');
    await row('.inputrc').click();
    await row('.vimrc').click({ modifiers: ['Control'] });
    await window.menu(row('.vimrc'), 'Duplicate…');
    await home.storedIs('.exrc 644', '.inputrc 644', '.inputrc copy 644', '.vimrc 644', '.vimrc copy 644');
    assert.equal(await service.inBox(user, 'cat', '.vimrc copy'), 'set number');
    await row('.inputrc copy').click();
    await row('.vimrc copy').click({ modifiers: ['Control'] });
    await window.menu(row('.vimrc copy'), 'Delete');
    await home.storedIs('.exrc 644', '.inputrc 644', '.vimrc 644');
  });

  it('changes modes, of one and of several, and the box has them', async () => {
    await window.menu(row('.exrc'), 'Change Mode…');
    await window.page.locator('.quick-input-title', { hasText: 'Change Mode of .exrc' }).waitFor();
    await window.picture('change-mode');
    await window.pick('755');
    await window.page.locator('.sidebar .monaco-list-row[aria-label^=".exrc, file, executable"]').waitFor();
    assert.equal(await service.inBox(user, 'stat', '-c', '%a', '.exrc'), '755');
    await row('.exrc').click();
    await row('.inputrc').click({ modifiers: ['Control'] });
    await window.menu(row('.inputrc'), 'Change Mode…');
    await window.pick('Other…');
    await window.refuses('Change Mode of 2 items', '888', 'octal');
    await window.answer('Change Mode of 2 items', '640');
    await home.storedIs('.exrc 640', '.inputrc 640', '.vimrc 644');
    assert.equal(await service.inBox(user, 'stat', '-c', '%a', '.exrc', '.inputrc'), '640\n640');
  });

  it('compares with a file of the disk', async () => {
    await onDisk(join(window.folder, 'vimrc'), 'set nonumber\n');
    await window.openRow('.vimrc');
    await window.menu(row('.vimrc'), 'Compare with Local File…');
    await window.answerFileDialog('Compare .vimrc with a Local File', `${window.folder}/vimrc`, 'Compare');
    await window.tab('.vimrc (local) ↔ .vimrc (Spoon)').waitFor();
    const sides = window.page.locator('.monaco-diff-editor');
    await sides.locator('.editor.original .view-lines', { hasText: 'nonumber' }).waitFor();
    await sides.locator('.editor.modified .view-lines', { hasText: 'set' }).waitFor();
    await window.picture('compare-with-local');
  });

  it('copies paths as the shell in the box has them', async () => {
    await dotfile('notes/100% #1 🥄', 'x');
    await row('notes').waitFor();
    await row('notes').click();
    await row('.vimrc').click({ modifiers: ['Control'] });
    await window.menu(row('.vimrc'), 'Copy Path');
    const copied = () => window.page.evaluate(() => navigator.clipboard.readText());
    await window.until(async () => (await copied()).split('\n').sort().join() === '/home/ada/.vimrc,/home/ada/notes');
    await window.openRow('100% #1 🥄');
    await window.focusDotfiles();
    await window.page.keyboard.press('Shift+Alt+C');
    await window.until(async () => (await copied()) === '/home/ada/notes/100% #1 🥄');
  });

  it('opens beside what is open', async () => {
    await window.command('View: Close All Editors');
    await window.openRow('.exrc');
    await window.menu(row('.inputrc'), 'Open to the Side');
    await window.page.locator('.editor-group-container').nth(1).locator('.tab', { hasText: '.inputrc' }).waitFor();
    await window.command('View: Close All Editors');
  });

  it('lets a file be dragged out of it into an editor', async () => {
    await window.dragOut(row('.vimrc'), window.page.locator('.part.editor'));
    await window.tab('.vimrc').waitFor();
    await window.page.locator('.monaco-editor .view-lines', { hasText: 'number' }).waitFor();
  });

  it('uploads what is chosen, into the folder whose menu it was', async () => {
    await onDisk(join(folder, 'chosen/theme.lua'), 'return {}\n');
    await window.menu(row('notes'), 'Upload Dotfiles…');
    await window.answerFileDialog('Upload Dotfiles into ~/notes', join(folder, 'chosen/theme.lua'), 'Upload');
    await window.until(async () => (await home.stored('notes/')).includes('notes/theme.lua 644'));
    assert.equal(await service.inBox(user, 'cat', 'notes/theme.lua'), 'return {}');
  });

  it('asks before it imports the folder of another dotfiles manager, and leaves out what nobody wants', async () => {
    await onDisk(join(folder, 'managed/dot_bashrc'), 'x');
    await onDisk(join(folder, 'managed/private_dot_ssh/config'), 'x');
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${folder}/managed/`, 'Import');
    await window.dialog(/chezmoi/).waitFor();
    await window.picture('managed');
    await window.page.keyboard.press('Escape');
    await window.dialog(/chezmoi/).waitFor({ state: 'detached' });
    for (const path of ['.zshrc', '.git/HEAD', 'node_modules/m/i.js', '.DS_Store', '.cache/big', '.zshrc.swp']) {
      await onDisk(join(folder, 'plain', path), 'x');
    }
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${folder}/plain/`, 'Import');
    await window.row('.zshrc').waitFor();
    const arrived = (await home.stored()).filter((line) =>
      /zshrc|git|node_modules|DS_Store|cache|bashrc|ssh/.test(line),
    );
    assert.deepEqual(arrived, ['.zshrc 644']);
  });

  it('uploads the rest when the service went away in the middle and came back', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `rest/file${index}`);
    const text = 'x'.repeat(100_000);
    await Promise.all(names.map((name) => onDisk(join(folder, 'interrupted', name), `${name}\n${text}`)));
    await window.command('Spoon: Import Folder into Home…');
    await window.answerFileDialog('Import What Is in a Folder', `${folder}/interrupted/`, 'Import');
    await window
      .notification('Uploading dotfiles')
      .filter({ hasText: /\d+ of 300 files/ })
      .waitFor();
    await service.kill('SIGKILL');
    const report = window.notification(/\d+ of 300 files were uploaded and stay\./);
    await report.waitFor();
    await window.picture('interrupted');
    await service.launch();
    await window.statusBar(new URL(service.url).host).waitFor();
    const before = await home.stored('rest/');
    assert.ok(before.length < 300, 'it was interrupted in time');
    await window.pressNotificationButton(/of 300 files were uploaded/, 'Upload the Rest');
    await window.until(async () => (await home.stored('rest/')).length === 300);
    for (const name of [names[0], names[150], names[299]]) {
      const kept = await service.fetch(user, `/v1/dotfiles/content?path=${name}`);
      assert.equal(await kept.text(), await readFile(join(folder, 'interrupted', name ?? ''), 'utf8'));
    }
  });
});
