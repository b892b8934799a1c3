import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onDisk, SignedInWindow } from './signedInWindow.ts';
import type { Workbench } from './workbench.ts';

const count = 1000;
/** What people are promised is 5 s on two cores; a shared machine gets three times that before it fails. */
const dropLimitMs = 15_000;
/** A longer pause between two pictures is one that people see and remember. */
const stutterLimitMs = 1_000;

// Held against limits of time, hence alone on the machine.
describe('a thousand dotfiles in VS Code', { concurrency: false, timeout: 300_000 }, () => {
  let home: SignedInWindow;
  let window: Workbench;

  before(async () => {
    home = await SignedInWindow.open();
    window = home.window;
    await home.showTree();
    for (const path of ['many/first', 'other/file']) await home.service.put(home.user, path, 'x');
    for (const name of [/^many$/, /^other$/]) await window.row(name).waitFor();
  });
  after(() => home?.[Symbol.asyncDispose]());

  it('are dropped within seconds, and the tree goes on answering', async (test) => {
    const files = Array.from({ length: count }, (_, index) => join(home.folder, `dropped/file ${index}.txt`));
    await Promise.all(files.map((path) => onDisk(path, `${path}\n`)));
    const startedMs = performance.now();
    await window.dropFiles(window.row(/^many$/), files);
    await window.page.locator('.notifications-toasts', { hasText: 'Uploading dotfiles' }).waitFor();
    const answerMs = await window.millisecondsToAnswer(window.row(/^other$/));
    await window.statusBar(`${count} dotfiles uploaded`).waitFor();
    const tookMs = performance.now() - startedMs;
    test.diagnostic(`${count} dropped: ${tookMs.toFixed(0)} ms; a click meanwhile: ${answerMs.toFixed(0)} ms`);
    assert.equal((await home.stored('many/file ')).length, count);
    assert.ok(tookMs < dropLimitMs, `${tookMs} ms`);
    assert.ok(answerMs < 2_000, `${answerMs} ms`);
  });

  it('open as a folder without a stutter', async (test) => {
    const many = window.row(/^many$/);
    await many.waitFor();
    // What the drop has to show can come after it, and opens the folder again.
    await window.until(async () => {
      await window.collapseAll();
      return (await many.getAttribute('aria-expanded')) === 'false';
    });
    await many.hover();
    const frames = await window.recordFrames();
    const one = window.page.locator(`.sidebar .monaco-list-row[aria-setsize="${count + 1}"]`).first();
    await window.until(async () => {
      // Collapsing everything may come after the first click.
      if ((await many.getAttribute('aria-expanded')) === 'false') await many.click();
      return one.isVisible();
    });
    await window.page.keyboard.press('End');
    await window.focusedRow(/^other$/).waitFor();
    await window.page.keyboard.press('Home');
    await window.focusedRow(/^many$/).waitFor();
    const { tookMs, longestMs } = await frames.stop();
    test.diagnostic(
      `${count} rows open, to the end and back: ${tookMs.toFixed(0)} ms; longest pause ${longestMs.toFixed(0)} ms`,
    );
    assert.ok(longestMs < stutterLimitMs, `${longestMs} ms`);
  });
});
