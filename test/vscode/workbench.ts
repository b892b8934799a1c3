import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { provisionChromium, provisionVscode } from '../../scripts/provision/vscode.ts';
import { quietSettings, startVscodeServer } from '../../scripts/vscodeServer.ts';
import { chromiumArguments } from './extensionHost.ts';
import { reportWhenFailing } from './failedWindows.ts';
import { openPalette, paletteRows, runInPalette, titlesOffered } from './palette.ts';
import { patienceMs, WindowTerminals } from './windowTerminals.ts';

/** A VS Code window in a real browser, with the packaged extension, driven as a person would. */

export interface WorkbenchOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Where a picture goes when {@link Workbench.picture} is called; default: nowhere. */
  readonly pictures?: string | undefined;
}

const testSettings = {
  ...quietSettings,
  // With a renderer on the GPU nothing of a terminal is in the page; headless chromium has no GPU anyway.
  'terminal.integrated.gpuAcceleration': 'off',
  'terminal.integrated.enablePersistentSessions': false,
  'terminal.integrated.shellIntegration.enabled': false,
  'editor.accessibilitySupport': 'off',
  'files.autoSave': 'off',
  'window.confirmBeforeClose': 'never',
  'workbench.editor.enablePreview': false,
  'files.simpleDialog.enable': true,
  'editor.minimap.enabled': false,
  // Typed text must arrive as typed.
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  'editor.wordBasedSuggestions': 'off',
  'editor.autoClosingBrackets': 'never',
  'editor.autoClosingQuotes': 'never',
} as const;

export class Workbench extends WindowTerminals implements AsyncDisposable {
  readonly folder: string;
  readonly extensionHostPid: () => Promise<number>;
  readonly #address: string;
  /** Where this VS Code keeps its settings, state and logs. */
  readonly dataFolder: string;
  readonly #pictures: string | undefined;
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: {
    page: Page;
    folder: string;
    address: string;
    dataFolder: string;
    pictures: string | undefined;
    resources: AsyncDisposableStack;
    extensionHostPid: () => Promise<number>;
  }) {
    super(parts.page);
    reportWhenFailing(parts.page);
    this.folder = parts.folder;
    this.extensionHostPid = parts.extensionHostPid;
    this.#address = parts.address;
    this.dataFolder = parts.dataFolder;
    this.#pictures = parts.pictures;
    this.#resources = parts.resources;
  }

  static async open(options: WorkbenchOptions = {}): Promise<Workbench> {
    await using resources = new AsyncDisposableStack();
    const server = await provisionVscode();
    const executablePath = await provisionChromium();
    const base = await mkdtemp(join(tmpdir(), 'spoon-ui-'));
    resources.defer(() => rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
    const dataFolder = join(base, 'server');
    const folder = join(base, 'project');
    await mkdir(folder);
    const vscode = resources.use(
      await startVscodeServer({
        server,
        dataFolder,
        extensionsFolder: installedExtensions(),
        settings: { ...testSettings, ...options.settings },
        environment: options.environment ?? {},
      }),
    );
    const browser = await chromium.launch({ executablePath, args: chromiumArguments });
    resources.defer(() => browser.close());
    const context: BrowserContext = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(patienceMs);
    await context.addInitScript(standStill);
    const page = await context.newPage();
    const address = vscode.address({ folder });
    const { extensionHostOf } = await import('./processes.ts');
    const workbench = new Workbench({
      page,
      folder,
      address,
      dataFolder,
      pictures: options.pictures,
      resources: resources.move(),
      extensionHostPid: () => extensionHostOf(vscode.pid),
    });
    try {
      await workbench.load();
    } catch (error) {
      await workbench[Symbol.asyncDispose]();
      throw error;
    }
    return workbench;
  }

  /** Waits for the window that `act` opens. */
  async newWindow(act: () => Promise<void>): Promise<Workbench> {
    const [page] = await Promise.all([this.page.context().waitForEvent('page'), act()]);
    await page.waitForSelector('.activitybar .action-item a[aria-label="Spoon"]');
    await using resources = new AsyncDisposableStack();
    resources.defer(() => page.close());
    return new Workbench({
      page,
      folder: this.folder,
      address: page.url(),
      dataFolder: this.dataFolder,
      pictures: this.#pictures,
      resources: resources.move(),
      extensionHostPid: this.extensionHostPid,
    });
  }

  async load(): Promise<void> {
    await this.page.goto(this.#address);
    await this.#restored();
  }

  /** As a person reloads it, so that VS Code can store what it knows. */
  async reload(): Promise<void> {
    await Promise.all([this.page.waitForEvent('load'), this.command('Developer: Reload Window')]);
    await this.#restored();
  }

  /** VS Code has opened again what was open, which takes the focus. */
  async #restored(): Promise<void> {
    await this.page.waitForSelector('.activitybar .action-item a[aria-label="Spoon"]');
    await this.page.waitForFunction(() => performance.getEntriesByName('code/LifecyclePhase/Restored').length > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async picture(name: string): Promise<void> {
    if (this.#pictures !== undefined) await this.page.screenshot({ path: join(this.#pictures, `${name}.png`) });
  }

  /** A click on the icon of the view that has just opened by itself closes it; a person then clicks again. */
  async showSpoonView(): Promise<void> {
    const title = this.page.locator('.sidebar .composite.title', { hasText: /spoon/i });
    await this.until(async () => {
      if (await title.isVisible()) return true;
      await this.page.locator('.activitybar .action-item a[aria-label="Spoon"]').click();
      return await appears(title);
    });
  }

  /** The keys go to the Dotfiles view, which a click that opens a file has given away. */
  async focusDotfiles(): Promise<void> {
    await this.command('Spoon: Focus on Dotfiles View');
    await this.page.locator('.sidebar .monaco-list:focus').waitFor();
  }

  /** The whole height for the tree: rows that are scrolled away are not in the page. */
  async onlyDotfiles(): Promise<void> {
    const header = this.page.locator('.sidebar .pane-header', { hasText: 'Threads' });
    if ((await header.getAttribute('aria-expanded')) === 'true') await header.click();
    await header.and(this.page.locator('[aria-expanded=false]')).waitFor();
  }

  /** Rows that are scrolled away are not in the page. */
  async collapseAll(): Promise<void> {
    // The actions of a view are there while the mouse is over it.
    const header = this.page.locator('.sidebar .pane-header', { hasText: 'Dotfiles' });
    await header.hover();
    await header.locator('.action-label[aria-label^="Collapse All"]').click();
  }

  /** Chooses an entry of a row's context menu; while rows move, the menu can be that of another one. */
  async menu(row: Locator, entry: string): Promise<void> {
    const item = this.page.locator('.monaco-menu .action-item', {
      has: this.page.locator('.action-label', { hasText: new RegExp(`^${entry}$`) }),
    });
    await this.until(async () => {
      await row.click({ button: 'right' });
      if (await appears(item)) return true;
      await this.page.keyboard.press('Escape');
      return false;
    });
    await item.hover();
    // For the first 100 ms a menu takes no click, and shows nothing of that.
    await this.page.waitForTimeout(150);
    await item.click();
    await this.page.locator('.monaco-menu').waitFor({ state: 'detached' });
  }

  /** What the extension has written to its log channel. */
  async extensionLog(): Promise<string> {
    const files = await readdir(this.dataFolder, { recursive: true });
    const logs = files.filter((file) => file.endsWith('Spoon.log'));
    return (await Promise.all(logs.map((file) => readFile(join(this.dataFolder, file), 'utf8')))).join('\n');
  }

  row(name: string | RegExp): Locator {
    const label = this.page.locator('.label-name', { hasText: name });
    return this.page.locator('.sidebar .monaco-list-row', { has: label });
  }

  /** Rows move while the tree changes, and a click can then miss all of them; a person clicks again. */
  async openRow(name: string): Promise<void> {
    await this.until(async () => {
      await this.row(name).click();
      return await appears(this.tab(name));
    });
  }

  focusedRow(name: string | RegExp): Locator {
    return this.row(name).and(this.page.locator('.focused'));
  }

  /** A row of an empty home that says what to do. */
  hint(text: string): Locator {
    return this.page.locator('.sidebar .monaco-list-row', { hasText: text });
  }

  welcome(text: string): Locator {
    return this.page.locator('.sidebar .welcome-view-content', { hasText: text });
  }

  /** Runs a command by its full title in the palette, such as `Spoon: Sign In…`. */
  async command(title: string): Promise<void> {
    await runInPalette(this.page, title);
    // The command's own question looks the same and must not be taken for the palette.
    await this.page.waitForFunction(() => {
      const input = document.querySelector<HTMLInputElement>('.quick-input-widget input.input');
      return input === null || input.offsetParent === null || !input.value.startsWith('>');
    });
  }

  /** The titles that the palette offers for what is typed. */
  async offered(text: string): Promise<string[]> {
    await openPalette(this.page, text, paletteRows(this.page).first());
    const titles = await titlesOffered(this.page);
    await this.page.keyboard.press('Escape');
    await this.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    return titles;
  }

  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget input.input');
  }

  /** Answers the input box whose prompt or title is shown. */
  async answer(question: string | RegExp, text: string): Promise<void> {
    await this.page.locator('.quick-input-widget', { hasText: question }).waitFor({ state: 'visible' });
    await this.quickInput.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Gives an answer that is not taken: the question stays and says why. */
  async refuses(question: string | RegExp, text: string, why: string): Promise<void> {
    await this.answer(question, text);
    await this.page.locator('.quick-input-message', { hasText: why }).waitFor();
  }

  /** Answers VS Code's own dialog for files, which is a quick input here. */
  async answerFileDialog(title: string, path: string, button: string): Promise<void> {
    await this.page.locator('.quick-input-title', { hasText: title }).waitFor();
    // It first fills in the folder of the window; what is typed before that is lost.
    await this.until(async () => (await this.quickInput.inputValue()) === `${this.folder}/`);
    await this.quickInput.fill(path);
    const shown = this.page.locator('.quick-input-title', { hasText: title });
    const accept = this.page.locator('.quick-input-widget .monaco-button', { hasText: button });
    // While it looks the path up it takes no answer; a person would press once more, but not what has come instead.
    await this.until(async () => {
      if (await shown.isVisible()) await accept.click({ timeout: 1_000 }).catch(() => undefined);
      await shown.waitFor({ state: 'hidden', timeout: 5_000 }).catch(() => undefined);
      return !(await shown.isVisible());
    });
  }

  async signIn(url: string, token: string): Promise<void> {
    await this.command('Spoon: Sign In…');
    await this.answer('(1/2)', url);
    await this.answer('(2/2)', token);
    await this.statusBar(new URL(url).host).waitFor();
  }

  statusBar(text: string): Locator {
    return this.page.locator('.statusbar .statusbar-item', { hasText: text });
  }

  async clearNotifications(): Promise<void> {
    await this.command('Notifications: Clear All Notifications');
    await this.page.locator('.notifications-toasts .notification-list-item').first().waitFor({ state: 'detached' });
  }

  async pick(label: string | RegExp): Promise<void> {
    await this.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first().click();
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notifications-toasts .notification-list-item', { hasText: text });
  }

  async pressNotificationButton(text: string | RegExp, button: string): Promise<void> {
    const toast = this.notification(text);
    await toast.waitFor();
    await toast.locator('.monaco-button', { hasText: button }).click();
  }

  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  async pressDialogButton(label: string): Promise<void> {
    await this.page.locator('.monaco-dialog-box .monaco-button', { hasText: label }).click();
  }

  async until(condition: () => Promise<boolean>, timeoutMs = patienceMs): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms`);
      await this.page.waitForTimeout(50);
    }
  }

  tab(name: string): Locator {
    return this.page.locator('.tab', { hasText: name });
  }

  /** Replaces what the open editor holds, by the keyboard. */
  async writeInEditor(text: string): Promise<void> {
    const lines = this.page
      .locator('.editor-group-container.active .editor-instance .monaco-editor .view-lines')
      .first();
    await lines.click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.press('Delete');
    await this.page.keyboard.insertText(text);
  }

  /** Files of this machine let go over an element, as a file manager does it. */
  async dropFiles(target: Locator, files: readonly string[]): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    // Copy, link and move: with fewer the drop does not happen.
    const data = { items: [], files: [...files], dragOperationsMask: 19 };
    let point = await this.#pointOn(target);
    const drag = (type: 'dragEnter' | 'dragOver' | 'drop') =>
      session.send('Input.dispatchDragEvent', { type, ...point, data });
    await drag('dragEnter');
    // Views that are still finding their size move what is below them.
    await this.until(async () => {
      point = await this.#pointOn(target);
      await drag('dragOver');
      return this.#dropTarget.isVisible();
    });
    await drag('drop');
    await this.#dropTarget.waitFor({ state: 'detached' });
    await session.detach();
  }

  /** Until a click on a row has given it the focus, as the page sees it. */
  async millisecondsToAnswer(row: Locator): Promise<number> {
    const startedMs = performance.now();
    await row.click();
    await row.and(this.page.locator('.focused')).waitFor();
    return performance.now() - startedMs;
  }

  /** Watches how long the page goes without drawing, until it is told to stop. */
  async recordFrames(): Promise<{ stop(): Promise<{ tookMs: number; longestMs: number }> }> {
    const recorded = await this.page.evaluateHandle(() => {
      const times = [performance.now()];
      let going = true;
      const next = (): void => {
        times.push(performance.now());
        if (going) requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
      return {
        stop(): { tookMs: number; longestMs: number } {
          going = false;
          times.push(performance.now());
          const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
          return { tookMs: (times.at(-1) ?? 0) - (times[0] ?? 0), longestMs: Math.max(...pauses) };
        },
      };
    });
    return { stop: () => recorded.evaluate((recorder) => recorder.stop()) };
  }

  /** From the Explorer over the icon of the Spoon view, which opens it, to a place in it: the way a hand goes. */
  async dragFromExplorer(name: string, target: Locator): Promise<void> {
    await this.page.locator('.activitybar .action-item a[aria-label^="Explorer"]').click();
    const row = this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
    await row.waitFor();
    await row.hover();
    await this.page.mouse.down();
    await this.#moveOver(this.page.locator('.activitybar .action-item a[aria-label="Spoon"]'));
    await target.waitFor();
    await this.#letGoOver(target);
  }

  async dragInTree(row: Locator, target: Locator): Promise<void> {
    await row.hover();
    await this.page.mouse.down();
    await this.#letGoOver(target);
  }

  /** Out of the tree: what it is let go over shows by itself whether it takes it. */
  async dragOut(row: Locator, target: Locator): Promise<void> {
    await row.hover();
    await this.page.mouse.down();
    await this.#moveOver(target);
    await this.page
      .locator('.editor-group-overlay-indicator.overlay-move-transition, .drop-block-overlay')
      .first()
      .waitFor();
    await this.page.mouse.up();
  }

  /** What VS Code marks as the place where a drop would go. */
  get #dropTarget(): Locator {
    return this.page.locator('.sidebar .drop-target').first();
  }

  async #pointOn(target: Locator): Promise<{ x: number; y: number }> {
    const box = await target.boundingBox();
    if (box === null) throw new Error('There is nothing to drop on.');
    return { x: box.x + box.width / 3, y: box.y + box.height / 2 };
  }

  async #letGoOver(target: Locator): Promise<void> {
    await this.until(async () => {
      await this.#moveOver(target);
      return this.#dropTarget.isVisible();
    });
    await this.page.mouse.up();
  }

  /** In small steps, and a little within the target: what is dragged over is told by moves. */
  async #moveOver(target: Locator): Promise<void> {
    const box = await target.boundingBox();
    if (box === null) throw new Error('There is nothing to move over.');
    const [x, y] = [box.x + Math.min(40, box.width / 3), box.y + box.height / 2];
    await this.page.mouse.move(x, y, { steps: 5 });
    await this.page.mouse.move(x + 4, y + 1, { steps: 3 });
  }

  async save(): Promise<void> {
    await this.page.keyboard.press('Control+S');
    await this.page.locator('.tab.active.dirty').waitFor({ state: 'detached' });
  }
}

/** As the runner has packaged and installed it, once for all windows. */
function installedExtensions(): string {
  const installed = process.env.SPOON_TEST_EXTENSIONS;
  if (installed === undefined) throw new Error('No extension is installed: run the tests through npm test.');
  return installed;
}

/**
 * Runs in the page. The bar of a view that is loading and icons that turn have no last step, and without a GPU the processor
 * draws each.
 */
function standStill(): void {
  const style = new CSSStyleSheet();
  style.replaceSync('.progress-bit, .codicon-modifier-spin { animation: none !important; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
}

/** Whether it comes within a time after which a person tries once more. */
async function appears(locator: Locator): Promise<boolean> {
  return await locator.waitFor({ timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}
