import { afterEach } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';

const open = new Set<Page>();

/** Where a test fails while the page is open, its report says what the page shows and what has the focus: CI has no pictures. */
export function reportWhenFailing(page: Page): void {
  open.add(page);
  page.once('close', () => open.delete(page));
}

afterEach(async (context) => {
  if (!('diagnostic' in context && 'passed' in context) || context.passed !== false) return;
  for (const page of open) {
    const late = delay(20_000, 'a window that does not answer', { ref: false });
    context.diagnostic(await Promise.race([whatItShows(page), late]));
  }
});

async function whatItShows(page: Page): Promise<string> {
  try {
    const focus = await page.evaluate(() => {
      const element = document.activeElement;
      return `${element?.tagName} ${element?.className}, ${document.hasFocus() ? 'in front' : 'not in front'}`;
    });
    return `${page.url()}\nfocus: ${focus}\n${await page.locator('body').ariaSnapshot({ timeout: 10_000 })}`;
  } catch (error) {
    return `a window that no longer says what it shows: ${String(error)}`;
  }
}
