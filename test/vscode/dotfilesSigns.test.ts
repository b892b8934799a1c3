import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningService, TestUser } from '../runningService.ts';
import { onDisk, SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// For people who see little, use no mouse, or have the tree read to them; in the theme that is made for it.
describe('the signs of the Dotfiles tree in VS Code, in high contrast', {
  concurrency: false,
  timeout: 600_000,
}, () => {
  let home: SignedInWindow;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;

  before(async () => {
    home = await SignedInWindow.open({ settings: { 'workbench.colorTheme': 'Default High Contrast' } });
    ({ service, user, window } = home);
    const disk = join(home.folder, 'dots');
    await onDisk(join(disk, '.bashrc'), 'export EDITOR=vi\n');
    await onDisk(join(disk, '.hand'), 'stored\n');
    await onDisk(join(disk, '.merged'), 'stored\n');
    await onDisk(join(disk, 'bin/tool'), '#!/bin/sh\n', 0o755);
    await onDisk(join(disk, 'font.ttf'), Uint8Array.of(0, 1, 0, 0, 0xff));
    await symlink('.bashrc', join(disk, '.profile'));
    // A folder on the way leads out of the home: what is below it is stored, and cannot be written.
    await service.inBox(user, 'ln', '-s', '/etc', '.away');
    const imported = await service.spoonctl(user, ['dotfiles', 'import', disk]);
    assert.equal(imported.code, 0, imported.stderr);
    await home.showTree(/^\.bashrc$/);
  });
  after(() => home?.[Symbol.asyncDispose]());

  const spoken = (label: string) => window.page.locator(`.sidebar .monaco-list-row[aria-label^="${label}"]`);
  /** The letter beside the name, which VS Code draws by a style. */
  const letter = (name: string): Promise<string> =>
    spoken(name)
      .locator('.monaco-icon-label')
      .first()
      .evaluate((label) => getComputedStyle(label, '::after').content.replaceAll('"', ''));
  const hasLetter = async (name: string, expected: string): Promise<void> => {
    await window.until(async () => (await letter(name)) === expected).catch(() => undefined);
    assert.equal(await letter(name), expected, name);
  };

  it('has a letter and words for each kind of file, and its icon', async () => {
    await spoken('bin, folder').click();
    await spoken('tool, file, executable').waitFor();
    await spoken('.profile, link').waitFor();
    await spoken('font.ttf, file, binary').waitFor();
    await hasLetter('tool,', 'x');
    await hasLetter('.profile,', '⤷');
    await hasLetter('font.ttf,', 'B');
    await hasLetter('.bashrc,', 'none');
    await spoken('.bashrc').locator('.shellscript-lang-file-icon').waitFor();
  });

  it('has a letter and words for what was changed, is in conflict, and could not be written', async () => {
    await service.inBox(user, 'sh', '-c', 'echo by hand > .hand; echo by hand > .merged');
    await spoken('.hand, file, Changed in the box').waitFor();
    await spoken('.merged, file, Changed in the box').waitFor();
    await hasLetter('.hand,', 'M');
    await service.put(user, '.merged', 'saved as well\n');
    await spoken('.merged, file').and(window.page.locator('[aria-label*="in Spoon"]')).waitFor();
    await hasLetter('.merged,', '!');
    await service.put(user, '.away/file', 'x');
    await spoken('.away, folder').click();
    await spoken('file, file').waitFor();
    await window.command('Spoon: Refresh Dotfiles');
    await spoken('file, file').and(window.page.locator('[aria-label*="could not be written"]')).waitFor();
    await hasLetter('file,', '!');
    await window.picture('signs');
  });

  it('says the rest in a tooltip, which a key shows: mode, size, version, time and who made it', async () => {
    await spoken('tool').click();
    await window.tab('tool').waitFor();
    await window.focusDotfiles();
    await window.focusedRow('tool').waitFor();
    await window.page.keyboard.press('Control+K');
    await window.page.keyboard.press('Control+I');
    const hover = window.page.locator('.monaco-hover', { hasText: '~/bin/tool' });
    await hover.waitFor();
    await hover.filter({ hasText: /10\sbytes.*mode\s755.*executable.*Version\s1.*changed.*Overlay/s }).waitFor();
    await window.picture('tooltip');
    await window.page.keyboard.press('Escape');
  });

  it('does by the keyboard alone what a menu does by mouse', async () => {
    await window.focusDotfiles();
    await window.page.keyboard.press('End');
    await window.focusedRow('font.ttf').waitFor();
    await window.page.keyboard.press('Shift+F10');
    const entry = window.page.locator('.monaco-menu .action-item.focused', { hasText: 'Change Mode…' });
    await window.page.locator('.monaco-menu').waitFor();
    for (let presses = 0; !(await entry.isVisible()); presses++) {
      assert.ok(presses < 30, 'the arrow keys do not reach it');
      await window.page.keyboard.press('ArrowDown');
    }
    await window.page.keyboard.press('Enter');
    await window.page.locator('.quick-input-title', { hasText: 'Change Mode of font.ttf' }).waitFor();
    await window.quickInput.fill('600');
    await window.page.keyboard.press('Enter');
    await window.until(async () => (await home.stored('font.ttf')).includes('font.ttf 600'));
    await window.focusDotfiles();
    await window.page.keyboard.press('Home');
    await window.page.keyboard.press('ArrowLeft');
    await window
      .focusedRow(/^\.away$/)
      .and(window.page.locator('[aria-expanded=false]'))
      .waitFor();
    await window.page.keyboard.press('ArrowRight');
    await window
      .focusedRow(/^\.away$/)
      .and(window.page.locator('[aria-expanded=true]'))
      .waitFor();
  });

  it('has a name for every row and every button', async () => {
    await window.page.locator('.sidebar .pane-header', { hasText: 'Dotfiles' }).hover();
    const unnamed = await window.page.evaluate(() =>
      [
        ...document.querySelectorAll(
          '.sidebar .monaco-list-row, .sidebar .pane-header .action-label, .sidebar .pane-header',
        ),
      ]
        .filter((element) => !element.getAttribute('aria-label')?.trim())
        .map((element) => element.outerHTML.slice(0, 200)),
    );
    assert.deepEqual(unnamed, []);
  });

  it('draws a frame around the row in focus', async () => {
    assert.equal(await window.page.locator('.monaco-workbench.hc-black').count(), 1);
    await window.focusDotfiles();
    const outline = await window.page
      .locator('.sidebar .monaco-list:focus .monaco-list-row.focused')
      .evaluate((row) => getComputedStyle(row).outlineStyle);
    assert.notEqual(outline, 'none');
  });
});
