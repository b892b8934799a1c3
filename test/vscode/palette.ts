import { errors, type Locator, type Page } from 'playwright-core';

function inputOf(page: Page): Locator {
  return page.locator('.quick-input-widget input.input');
}

export function paletteRows(page: Page): Locator {
  return page.locator('.quick-input-list .monaco-list-row');
}

/** The titles of everything that an open quick pick offers; only what is in sight is in the page, so it pages through. */
export async function titlesOffered(page: Page): Promise<string[]> {
  const rows = paletteRows(page);
  await rows.first().waitFor();
  // Read each time: what happens meanwhile can give a command or take one away.
  const total = async (): Promise<number> => Number(await rows.first().getAttribute('aria-setsize'));
  const titles = new Map<string, string>();
  const deadline = Date.now() + 60_000;
  while (titles.size < (await total())) {
    if (Date.now() > deadline) throw new Error(`saw ${titles.size} of ${await total()} rows`);
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

/**
 * Opens the palette with a text in it and waits for what is then to be seen. What happens in the window can take the focus,
 * which closes it again: a terminal that comes back, the command before. A person then presses F1 once more.
 * @throws Error after a minute
 */
export async function openPalette(page: Page, text: string, awaited: Locator): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    await page.keyboard.press('F1');
    try {
      await inputOf(page).fill(`>${text}`, { timeout: 10_000 });
      await awaited.waitFor({ timeout: 10_000 });
      return;
    } catch (error) {
      if (!(error instanceof errors.TimeoutError) || Date.now() > deadline) throw error;
    }
  }
}

/** Runs the command of exactly this title, which others may stand before that hold its words too. */
export async function runInPalette(page: Page, title: string): Promise<void> {
  const row = paletteRows(page).filter({ has: page.getByText(title, { exact: true }) });
  await openPalette(page, title, row.first());
  // Enter takes the row in focus: the first one, whatever it is, once the list follows what was typed.
  const focused = row.and(page.locator('.focused'));
  for (let steps = 0; !(await focused.isVisible()); steps++) {
    if (steps > 100) throw new Error(`The keys do not reach "${title}" in the palette.`);
    // As in `openPalette`: keys would go to what has taken the focus, such as the question of the command before.
    if (!(await row.first().isVisible())) await openPalette(page, title, row.first());
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}
