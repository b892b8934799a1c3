import * as vscode from 'vscode';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText, failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { setting } from '../settings.ts';
import type { TerminalRequest, ThreadTerminals } from '../terminals/threadTerminals.ts';
import { type HomeThreads, threadName } from './homeThreads.ts';
import { askForThread, makeThread } from './newThread.ts';
import { home, parseThread, rememberThread, type ThreadPlace } from './threadName.ts';
import { statusInBrief, viewersInWords } from './threadWords.ts';

interface Choice extends vscode.QuickPickItem {
  readonly place?: ThreadPlace;
  readonly running?: Terminal;
  /** A thread that must be made first; without a branch the person is asked. */
  readonly make?: { readonly spoon?: string; readonly branch?: string };
}

const recentKey = 'spoon.recentThreads';

/** *Open Thread Terminal…*: recent threads, what runs, the home, or a thread typed as `spoon/branch`. */
export class OpenThreadTerminal {
  readonly #current: CurrentConnection;
  readonly #terminals: ThreadTerminals;
  readonly #state: vscode.Memento;
  readonly #log: Log;

  constructor(parts: { current: CurrentConnection; terminals: ThreadTerminals; state: vscode.Memento; log: Log }) {
    this.#current = parts.current;
    this.#terminals = parts.terminals;
    this.#state = parts.state;
    this.#log = parts.log;
  }

  async run(location = setting('terminal.location')): Promise<void> {
    const request = await this.#choose(location);
    if (request !== undefined) this.#terminals.open(request);
  }

  async inThread(thread: Thread, location = setting('terminal.location')): Promise<void> {
    const place = placeOf(thread);
    this.#terminals.open(await this.#newTerminal(place, location));
  }

  attach(terminal: Terminal, location = setting('terminal.location')): void {
    this.#terminals.open(toRunning(terminal, location));
  }

  openSafe(): void {
    this.#current.require();
    this.#terminals.open({
      name: vscode.l10n.t('Safe terminal'),
      target: { kind: 'new', cwd: undefined, safe: true },
      location: setting('terminal.location'),
    });
  }

  /** For VS Code's own "new terminal" menu. */
  async profile(): Promise<vscode.TerminalProfile | undefined> {
    const request = await this.#choose('panel');
    return request === undefined ? undefined : new vscode.TerminalProfile(this.#terminals.options(request));
  }

  async #choose(location: 'panel' | 'editor'): Promise<TerminalRequest | undefined> {
    const connection = this.#current.require();
    connection.requireReachable();
    const choice = onlyChoice(connection.threads) ?? (await this.#ask(connection));
    if (choice === undefined) return undefined;
    if (choice.running !== undefined) return toRunning(choice.running, location);
    if (choice.make !== undefined) {
      const { spoon, branch } = choice.make;
      const wanted =
        spoon !== undefined && branch !== undefined
          ? { spoon, branch }
          : await askForThread(connection, spoon === undefined ? {} : { spoon });
      if (wanted === undefined) return undefined;
      const { thread } = await makeThread(connection, wanted);
      return await this.#newTerminal(placeOf(thread), location);
    }
    return await this.#newTerminal(choice.place ?? home, location);
  }

  async #newTerminal(place: ThreadPlace, location: 'panel' | 'editor'): Promise<TerminalRequest> {
    if (place.cwd !== undefined && !place.isThread)
      await this.#state.update(recentKey, rememberThread(this.#recent(), place.name));
    const thread = place.isThread ? place.name : undefined;
    return { name: place.name, target: { kind: 'new', cwd: place.cwd, thread, safe: false }, location };
  }

  async #ask({ threads }: Connection): Promise<Choice | undefined> {
    const pick = vscode.window.createQuickPick<Choice>();
    const show = (): void => {
      pick.items = choices(pick.value, this.#recent(), threads);
    };
    pick.title = vscode.l10n.t('Open Thread Terminal');
    pick.placeholder = vscode.l10n.t('Choose, or type spoon/branch, such as api/main');
    pick.matchOnDescription = true;
    pick.onDidChangeValue(show);
    show();
    // Shown at once; what has changed meanwhile joins the list when the service has said it.
    const subscription = threads.onDidChange(show);
    threads.refresh().catch((error) => this.#log.warn('threads could not be listed:', failureText(error)));
    try {
      return await new Promise((resolve) => {
        pick.onDidAccept(() => {
          const [choice] = pick.selectedItems;
          // What only says what is wrong with the typed name cannot be chosen.
          if (choice?.place !== undefined || choice?.running !== undefined || choice?.make !== undefined)
            resolve(choice);
        });
        pick.onDidHide(() => resolve(undefined));
        pick.show();
      });
    } finally {
      subscription.dispose();
      pick.dispose();
    }
  }

  /** Folders that were opened by their name, without being threads. */
  #recent(): string[] {
    const stored: unknown = this.#state.get(recentKey);
    return Array.isArray(stored) ? stored.filter((name) => typeof name === 'string') : [];
  }
}

function placeOf(thread: Thread): ThreadPlace {
  return { name: threadName(thread), cwd: thread.folder, isThread: true };
}

function toRunning(terminal: Terminal, location: 'panel' | 'editor'): TerminalRequest {
  const name = asPlainText(terminal.title) || vscode.l10n.t('Terminal');
  return { name, target: { kind: 'running', id: terminal.id, size: terminal }, location };
}

/** One thread in which nothing runs: there is nothing to ask. */
function onlyChoice({ threads, terminals }: HomeThreads): Choice | undefined {
  const [only] = threads;
  if (only === undefined || threads.length > 1 || terminals.length > 0) return undefined;
  return { label: threadName(only), place: placeOf(only) };
}

function choices(typed: string, recent: readonly string[], threads: HomeThreads): Choice[] {
  const known = threads.threads.map((thread) => ({ name: threadName(thread), thread }));
  const items: Choice[] = [];
  const text = typed.trim();
  const isKnown = text === '' || recent.includes(text) || known.some(({ name }) => name === text);
  const place = isKnown ? undefined : readThread(typed);
  if (place instanceof Error) items.push({ label: failureText(place), iconPath: icons.hint, alwaysShow: true });
  else if (place !== undefined) items.push(typedChoice(place, threads));
  items.push(separator(vscode.l10n.t('New session')));
  for (const { name, thread } of known) {
    const brief = asPlainText(statusInBrief(thread.status, thread.branch));
    const description = [`~/${thread.folder}`, brief].filter(Boolean).join(' · ');
    items.push({ label: name, description, iconPath: icons.thread, place: placeOf(thread) });
  }
  for (const name of recent) {
    const folder = known.some((thread) => thread.name === name) ? undefined : readThread(name);
    if (folder === undefined || folder instanceof Error) continue;
    items.push({ label: folder.name, description: `~/${folder.cwd}`, iconPath: icons.folder, place: folder });
  }
  items.push({ label: home.name, description: '~', iconPath: icons.home, place: home });
  if (threads.terminals.length > 0) items.push(separator(vscode.l10n.t('Attach to running')));
  for (const terminal of threads.terminals) {
    const description = [asPlainText(terminal.cwd), viewersInWords(terminal)].join(' · ');
    const detail = asPlainText(terminal.lastLine);
    const label = asPlainText(terminal.title) || vscode.l10n.t('Terminal');
    items.push({
      label,
      description,
      ...(detail === '' ? {} : { detail }),
      iconPath: icons.running,
      running: terminal,
    });
  }
  items.push(separator(''), { label: vscode.l10n.t('New Thread…'), iconPath: icons.add, make: {} });
  return items;
}

/** A branch of a known spoon becomes a thread; anything else is a folder of that name. */
function typedChoice(place: ThreadPlace, threads: HomeThreads): Choice {
  const [spoon = ''] = place.name.split('/', 1);
  const isKnown = threads.spoons.some(({ name }) => name === spoon);
  if (!isKnown) {
    return { label: place.name, description: `~/${place.cwd}`, iconPath: icons.folder, alwaysShow: true, place };
  }
  const branch = place.name.slice(spoon.length + 1);
  const description = vscode.l10n.t('new thread of {0}', spoon);
  return { label: place.name, description, iconPath: icons.add, alwaysShow: true, make: { spoon, branch } };
}

const icons = {
  hint: new vscode.ThemeIcon('info'),
  add: new vscode.ThemeIcon('add'),
  thread: new vscode.ThemeIcon('git-branch'),
  folder: new vscode.ThemeIcon('folder'),
  home: new vscode.ThemeIcon('home'),
  running: new vscode.ThemeIcon('terminal'),
} as const;

function separator(label: string): Choice {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

/** Undefined while it is still too short to be one. */
function readThread(typed: string): ThreadPlace | Error | undefined {
  if (!typed.includes('/') || typed.endsWith('/')) return undefined;
  try {
    return parseThread(typed);
  } catch (error) {
    return error instanceof Error ? error : undefined;
  }
}
