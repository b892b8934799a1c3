import type { Page } from 'playwright-core';

/** For whatever is to appear: far beyond what a busy machine needs, so that nothing fails for being slow. */
export const patienceMs = 60_000;

/** The terminals of a VS Code window, read and typed into as a person does it. */
export class WindowTerminals {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async terminalText(): Promise<string> {
    return await this.page.evaluate(() => {
      const shown = document.querySelector('.terminal-wrapper.active') as unknown as { xterm?: XtermLike } | null;
      const buffer = shown?.xterm?.buffer.active;
      if (buffer === undefined) return '';
      const lines: string[] = [];
      for (let row = 0; row < buffer.length; row++) {
        const line = buffer.getLine(row);
        const text = line?.translateToString(true) ?? '';
        if (line?.isWrapped) lines.push((lines.pop() ?? '') + text);
        else lines.push(text);
      }
      return lines.join('\n').trimEnd();
    });
  }

  /** Waits until the shown terminal holds the text. @throws Error with what it holds instead */
  async waitForTerminal(text: string | RegExp, timeoutMs = patienceMs): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    let shown = '';
    do {
      shown = await this.terminalText();
      if (typeof text === 'string' ? shown.includes(text) : text.test(shown)) return shown;
      await this.page.waitForTimeout(25);
    } while (Date.now() < deadline);
    throw new Error(`The terminal never showed ${text}; it shows:\n${shown.slice(-3000)}`);
  }

  /** Waits until another terminal is shown than before `act`, and has its first prompt. */
  async newTerminal(act: () => Promise<void>): Promise<void> {
    await this.page.evaluate(() => {
      for (const shown of document.querySelectorAll('.terminal-wrapper')) shown.setAttribute('data-seen', '');
    });
    await act();
    await this.page.locator('.terminal-wrapper.active:not([data-seen]) .xterm').waitFor();
    await this.waitForTerminal(/\$$/);
  }

  async focusTerminal(): Promise<void> {
    await this.page.locator('.terminal-wrapper.active .xterm-helper-textarea').focus();
  }

  /** Milliseconds from a key to the prompt, both as the page sees them: what a person waits. */
  async timeToPrompt(key: string): Promise<number> {
    await this.focusTerminal();
    // Listening first, and only then the key: a busy page takes keys before scripts.
    const measured = await this.page.evaluateHandle(() => {
      const { xterm } = document.querySelector('.terminal-wrapper.active') as unknown as { xterm: XtermLike };
      const promise = new Promise<number>((resolve) => {
        let pressedMs: number | undefined;
        const press = (): void => {
          pressedMs = performance.now();
        };
        window.addEventListener('keydown', press, { capture: true, once: true });
        const parsed = xterm.onWriteParsed(() => {
          const { active } = xterm.buffer;
          const line = active.getLine(active.baseY + active.cursorY)?.translateToString(true) ?? '';
          if (pressedMs === undefined || !line.trimEnd().endsWith('$')) return;
          parsed.dispose();
          resolve(performance.now() - pressedMs);
        });
      });
      return { promise };
    });
    await this.page.keyboard.press(key);
    return await measured.evaluate(({ promise }) => promise);
  }

  /** Presses a key. @returns when the page got it, ms since 1970 */
  async pressedAt(key: string): Promise<number> {
    const listening = await this.page.evaluateHandle(() => ({
      pressed: new Promise<number>((resolve) => {
        const press = (event: KeyboardEvent): void => {
          // The modifier alone comes first.
          if (event.key.length > 1) return;
          window.removeEventListener('keydown', press, true);
          resolve(performance.timeOrigin + performance.now());
        };
        window.addEventListener('keydown', press, true);
      }),
    }));
    await this.page.keyboard.press(key);
    return await listening.evaluate(({ pressed }) => pressed);
  }

  async typeInTerminal(text: string): Promise<void> {
    await this.focusTerminal();
    await this.page.keyboard.type(text, { delay: 5 });
  }
}

interface XtermLike {
  onWriteParsed(listener: () => void): { dispose(): void };
  buffer: {
    active: {
      length: number;
      baseY: number;
      cursorY: number;
      getLine(row: number): { isWrapped: boolean; translateToString(trimRight: boolean): string } | undefined;
    };
  };
}
