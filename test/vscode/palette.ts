import type { Page } from 'playwright-core';

/** The titles of everything that an open quick pick offers; only what is in sight is in the page, so it pages through. */
export async function titlesOffered(page: Page): Promise<string[]> {
  const rows = page.locator('.quick-input-list .monaco-list-row');
  await rows.first().waitFor();
  const total = Number(await rows.first().getAttribute('aria-setsize'));
  const titles = new Map<string, string>();
  const deadline = Date.now() + 20_000;
  while (titles.size < total) {
    if (Date.now() > deadline) throw new Error(`saw ${titles.size} of ${total} rows`);
    for (const row of await rows.all()) {
      // A row may be scrolled away while it is read; it comes again.
      const position = await row.getAttribute('aria-posinset', { timeout: 500 }).catch(() => null);
      const label = row.locator('.label-name').first();
      const title = await label.textContent({ timeout: 500 }).catch(() => null);
      if (position !== null && title !== null) titles.set(position, title.replaceAll('\u00a0', ' '));
    }
    await page.keyboard.press('PageDown');
  }
  return [...titles.values()];
}
