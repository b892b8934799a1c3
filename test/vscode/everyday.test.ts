import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunningService, TestUser } from '../runningService.ts';
import { answersInPalette } from './commandAnswers.ts';
import { SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

// Signed in by a file that is handed over, as `npm run up -- --browser` does it, so that it lasts over a reload.
describe('everyday work in VS Code', { concurrency: false, timeout: 600_000 }, () => {
  let home: SignedInWindow;
  let service: RunningService;
  let user: TestUser;
  let window: Workbench;
  let folder: string;

  before(async () => {
    home = await SignedInWindow.open();
    ({ service, user, window, folder } = home);
  });
  after(() => home?.[Symbol.asyncDispose]());

  const stored = async (): Promise<string[]> => (await home.dotfiles()).map(({ path }) => path).sort();

  it('shows who is signed in, and files that are dropped on it', async () => {
    await home.showTree();
    await writeFile(join(folder, '.gitconfig'), '[user]\n\tname = Ada\n');
    await writeFile(join(folder, '.vimrc'), 'set number\n');
    await window.dropFiles(window.hint('Upload Files…'), [join(folder, '.gitconfig'), join(folder, '.vimrc')]);
    await window.row('.gitconfig').waitFor();
    await window.row('.vimrc').waitFor();
    assert.deepEqual(await stored(), ['.gitconfig', '.vimrc']);
  });

  it('asks once before a drop replaces something', async () => {
    await writeFile(join(folder, '.vimrc'), 'set number\nset ruler\n');
    await window.dropFiles(window.row('.gitconfig'), [join(folder, '.gitconfig'), join(folder, '.vimrc')]);
    await window.dialog(/2 files are there already/).waitFor();
    await window.pressDialogButton('Replace');
    await window.until(async () => (await service.inBox(user, 'cat', '.vimrc')).includes('ruler'));
  });

  it('makes files in folders, with language and icon by their names', async () => {
    for (const path of ['.config/nvim/init.lua', '.config/git/ignore', '.bashrc', 'bin/hello']) {
      await window.command('Spoon: New Dotfile…');
      await window.answer('New Dotfile', path);
      await window.tab(path.split('/').at(-1) ?? '').waitFor();
    }
    await window.writeInEditor('#!/bin/sh\necho hello\n');
    await window.save();
    await window.tab('.bashrc').click();
    await window.writeInEditor("# ~/.bashrc\nexport EDITOR=nvim\nalias ll='ls -l'\nPS1='\\u@\\h:\\w\\$ '\n");
    await window.save();
    await window.statusBar('Shell Script').waitFor();
    await window.picture('filled');
  });

  it('renames with F2, by the keyboard alone, and the open editor goes along', async () => {
    await window.onlyDotfiles();
    await window.openRow('.vimrc');
    await window.page.keyboard.press('Shift+Tab');
    await window.focusDotfiles();
    await window.focusedRow('.vimrc').waitFor();
    await window.page.keyboard.press('F2');
    await window.answer('Rename .vimrc', '.exrc');
    await window.row('.exrc').waitFor();
    await window.tab('.exrc').waitFor();
    await window.tab('.vimrc').waitFor({ state: 'detached' });
  });

  it('deletes with the Delete key and takes it back', async () => {
    await window.row('.exrc').click();
    await window.focusDotfiles();
    await window.focusedRow('.exrc').waitFor();
    await window.page.keyboard.press('Delete');
    await window.row('.exrc').waitFor({ state: 'detached' });
    await window.pressNotificationButton('.exrc was deleted', 'Undo');
    await window.row('.exrc').waitFor();
    assert.equal(await service.inBox(user, 'cat', '.exrc'), 'set number\nset ruler');
  });

  it('brings terminals back after a reload, with their screen and what runs in them', async () => {
    await window.newTerminal(async () => {
      await window.command('Spoon: Open Thread Terminal…');
      await window.pick('Home');
    });
    await window.typeInTerminal('echo "<before>"; (sleep 3; echo; echo "<later>") &\n');
    await window.waitForTerminal(/^<before>$/m);
    await window.reload();
    await window.page.locator('.terminal-wrapper .xterm').first().waitFor({ state: 'attached', timeout: 60_000 });
    await window.command('Terminal: Focus Terminal');
    await window.waitForTerminal(/^<before>$/m, 30_000);
    await window.waitForTerminal(/^<later>$/m, 30_000);
    await window.typeInTerminal('echo "<still here>"\n');
    await window.waitForTerminal(/^<still here>$/m);
  });

  it('ends the shell of a terminal that is closed', async () => {
    const running = async (): Promise<number> => {
      const { terminals } = (await (await service.fetch(user, '/v1/terminals')).json()) as { terminals: unknown[] };
      return terminals.length;
    };
    assert.equal(await running(), 1);
    await window.command('Terminal: Kill the Active Terminal Instance');
    await window.until(async () => (await running()) === 0);
  });

  it('offers only what can be done now, and without a row asks for one or says that there is none', async () => {
    const offered = (await window.offered('Spoon:')).filter((title) => title.startsWith('Spoon:'));
    assert.ok(offered.includes('Spoon: Open Thread Terminal…'), offered.join());
    // Only as many as can be seen are in the list.
    assert.ok((await window.offered('Spoon: Sign')).includes('Spoon: Sign Out'));
    assert.ok(!offered.some((title) => /Sign In…|Reconnect|Rename|Show Status/.test(title)), offered.join());
  });

  it('has no command in the palette that does nothing or fails', async () => {
    await window.command('View: Close All Editors');
    const offered = await window.offered('Spoon: ');
    const failures: string[] = [];
    // Its own tests see to it, and nothing else is offered after it.
    for (const title of offered.filter((title) => title.startsWith('Spoon: ') && title !== 'Spoon: Sign Out')) {
      // What hangs takes a minute: a window that answers nothing more is not asked fifty times.
      if (failures.length < 3) {
        await answersInPalette(window, title).catch((error: unknown) => failures.push(`${title}: ${error}`));
      }
    }
    assert.deepEqual(failures, []);
    await window.command('Spoon: Open Dotfile by Path…');
    await window.answer('Open Dotfile', '.bashrc');
    await window.tab('.bashrc').waitFor();
  });

  it('has a walkthrough that works', async () => {
    await window.command('Spoon: Open Walkthrough');
    await window.page.locator('.gettingStartedDetailsContent', { hasText: 'Get Started with Spoon' }).waitFor();
    // Somebody who is signed in and has files sees those steps done.
    for (const step of ['Sign in to your service', 'Add your dotfiles']) {
      const row = window.page.locator('.getting-started-step', { hasText: step });
      await row.locator('[role=checkbox][aria-checked=true]').waitFor({ state: 'attached' });
    }
    await window.picture('walkthrough');
  });

  it('says that it is signed out when the token is revoked, and edits stay', async () => {
    await window.tab('.bashrc').click();
    await window.page.keyboard.type('# not lost');
    await window.page.locator('.tab.active.dirty').waitFor();
    const { tokens } = (await (await service.fetch(user, '/v1/tokens')).json()) as { tokens: { id: string }[] };
    for (const { id } of tokens) await service.fetch(user, `/v1/tokens/${id}`, { method: 'DELETE' });
    await window.notification(/signed out of.*keep your changes/s).waitFor();
    await window.showSpoonView();
    await window.welcome('Sign in to see your dotfiles').waitFor();
    await window.page.locator('.tab.active.dirty').waitFor();
  });
});
