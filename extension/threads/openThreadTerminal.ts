import * as vscode from 'vscode';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText, failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { setting } from '../settings.ts';
import type { TerminalRequest, ThreadTerminals } from '../terminals/threadTerminals.ts';
import { home, parseThread, rememberThread, type ThreadPlace } from './threadName.ts';

interface Choice extends vscode.QuickPickItem {
  readonly place?: ThreadPlace;
  readonly running?: Terminal;
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
    const choice = await this.#ask(connection);
    if (choice === undefined) return undefined;
    if (choice.running !== undefined) {
      const { id } = choice.running;
      return { name: choice.label, target: { kind: 'running', id }, location };
    }
    const place = choice.place ?? home;
    if (place.cwd !== undefined) await this.#state.update(recentKey, rememberThread(this.#recent(), place.name));
    return { name: place.name, target: { kind: 'new', cwd: place.cwd, safe: false }, location };
  }

  async #ask(connection: Connection): Promise<Choice | undefined> {
    const pick = vscode.window.createQuickPick<Choice>();
    let running: readonly Terminal[] = [];
    const show = (): void => {
      pick.items = choices(pick.value, this.#recent(), running);
    };
    pick.title = vscode.l10n.t('Open Thread Terminal');
    pick.placeholder = vscode.l10n.t('Choose, or type spoon/branch, such as api/main');
    pick.onDidChangeValue(show);
    show();
    // Shown at once; what runs joins the list when the service has said it.
    void this.#listRunning(connection).then((terminals) => {
      running = terminals;
      if (terminals.length > 0) show();
    });
    try {
      return await new Promise((resolve) => {
        pick.onDidAccept(() => {
          const [choice] = pick.selectedItems;
          // What only says what is wrong with the typed name cannot be chosen.
          if (choice?.place !== undefined || choice?.running !== undefined) resolve(choice);
        });
        pick.onDidHide(() => resolve(undefined));
        pick.show();
      });
    } finally {
      pick.dispose();
    }
  }

  async #listRunning(connection: Connection): Promise<readonly Terminal[]> {
    if (connection.box?.state !== 'running') return [];
    try {
      return (await connection.api.call('listTerminals')).terminals;
    } catch (error) {
      this.#log.warn('running terminals could not be listed:', failureText(error));
      return [];
    }
  }

  #recent(): string[] {
    const stored: unknown = this.#state.get(recentKey);
    return Array.isArray(stored) ? stored.filter((name) => typeof name === 'string') : [];
  }
}

function choices(typed: string, recent: readonly string[], running: readonly Terminal[]): Choice[] {
  const items: Choice[] = [];
  const place = typed.trim() === '' || recent.includes(typed.trim()) ? undefined : readThread(typed);
  if (place instanceof Error) items.push({ label: failureText(place), iconPath: hintIcon, alwaysShow: true });
  else if (place !== undefined) {
    items.push({ label: place.name, description: `~/${place.cwd}`, iconPath: newIcon, alwaysShow: true, place });
  }
  if (recent.length > 0) items.push(separator(vscode.l10n.t('Recent threads')));
  for (const name of recent) {
    const known = readThread(name);
    if (!(known instanceof Error) && known !== undefined) {
      items.push({ label: known.name, description: `~/${known.cwd}`, iconPath: threadIcon, place: known });
    }
  }
  if (items.length > 0) items.push(separator(''));
  items.push({ label: home.name, description: '~', iconPath: homeIcon, place: home });
  if (running.length > 0) items.push(separator(vscode.l10n.t('Running terminals')));
  for (const terminal of running) {
    const viewers =
      terminal.viewers === 0 ? vscode.l10n.t('nobody watches') : vscode.l10n.t('{0} watching', terminal.viewers);
    const description = `${asPlainText(terminal.cwd)} · ${viewers}`;
    items.push({ label: asPlainText(terminal.title), description, iconPath: runningIcon, running: terminal });
  }
  return items;
}

const hintIcon = new vscode.ThemeIcon('info');
const newIcon = new vscode.ThemeIcon('add');
const threadIcon = new vscode.ThemeIcon('git-branch');
const homeIcon = new vscode.ThemeIcon('home');
const runningIcon = new vscode.ThemeIcon('terminal');

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
