import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { Workbench } from './workbench.ts';

const question = '.quick-input-widget:visible';
const toast = '.notifications-toasts .notification-list-item';
const tab = '.editor-group-container .tab';
const terminal = '.panel .terminal-wrapper.active';
const settings = '.settings-editor';
const output = '.panel .output-view';

/** What a person sees of a command: a question, a message, something that has opened. */
const usual = `${question}, .monaco-dialog-box, ${toast}, ${tab}, ${terminal}`;

/** Of the commands that show themselves otherwise. */
const others: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'Spoon: Copy Diagnostics': (page) => page.locator('.statusbar-item', { hasText: 'diagnostics copied' }).waitFor(),
  // First a message that it counts, or traces; leaving then would meet the question that comes after it.
  'Spoon: Profile Shell Startup': (page) => page.locator(question, { hasText: 'starts in' }).waitFor(),
  'Spoon: Show Largest Folders…': (page) => page.locator(question, { hasText: 'Your home holds' }).waitFor(),
  'Spoon: Open Settings': (page) => page.locator(settings).waitFor(),
  'Spoon: Show Log': (page) => page.locator(output).waitFor(),
};

/**
 * Runs a command as it is offered, with nothing chosen and nothing open, sees that it answers without an error, and leaves
 * the window as it was: every question is given up.
 * @param title as in the palette, `Spoon: New Thread…`
 * @throws Error where it is no longer offered, shows nothing, or says that it failed
 */
export async function answersInPalette(window: Workbench, title: string): Promise<void> {
  const { page } = window;
  const opened = title === 'Spoon: Open Dotfiles in Explorer' ? page.context().waitForEvent('page') : undefined;
  const view = /^Spoon: Focus on (.*) View$/.exec(title)?.[1];
  await window.command(title);
  if (opened !== undefined) await (await opened).close();
  else if (view !== undefined) await page.locator('.pane', { hasText: view }).locator(':focus').first().waitFor();
  else if (!title.startsWith('Spoon: Refresh')) {
    await (others[title]?.(page) ?? page.locator(usual).first().waitFor());
  }
  assert.equal(await page.locator('.notifications-toasts .codicon-error').count(), 0, 'an error message');
  await leave(window);
}

async function leave(window: Workbench): Promise<void> {
  const { page } = window;
  const open = (what: string) => page.locator(what).first().isVisible();
  const questions = `${question}, .monaco-dialog-box, ${settings}`;
  await window.until(async () => {
    if (!(await open(questions))) return true;
    await page.keyboard.press('Escape');
    return false;
  });
  if (await open(terminal)) await window.command('Terminal: Kill All Terminals');
  if (await open(output)) await window.command('View: Hide Panel');
  if (await open(tab)) await window.command('View: Close All Editors');
  if (await open(toast)) await window.clearNotifications();
}
