import type { Page } from 'playwright-core';

interface XtermLike {
  readonly rows: number;
  readonly buffer: {
    readonly active: {
      readonly baseY: number;
      getLine(row: number): { translateToString(trimRight: boolean): string } | undefined;
    };
  };
}

/** The rows of the shown terminal that a person sees now, without blanks at their ends. */
export async function visibleTerminal(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const shown = document.querySelector('.terminal-wrapper.active') as unknown as { xterm?: XtermLike } | null;
    const { active } = shown?.xterm?.buffer ?? {};
    const text = (row: number): string => active?.getLine(active.baseY + row)?.translateToString(true) ?? '';
    return Array.from({ length: shown?.xterm?.rows ?? 0 }, (_, row) => text(row).trimEnd()).join('\n');
  });
}
