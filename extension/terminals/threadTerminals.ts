import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import { setting } from '../settings.ts';
import type { TerminalTarget } from './terminalTarget.ts';
import { ThreadTerminal } from './threadTerminal.ts';

/** What is needed to show a terminal again after a reload. */
const Remembered = Type.Object({
  instanceId: Type.String(),
  userId: Type.String(),
  id: Type.String(),
  name: Type.String(),
  location: Type.Union([Type.Literal('panel'), Type.Literal('editor')]),
});
type Remembered = Static<typeof Remembered>;

/** VS Code fills an open panel within this; later it is a person who opens a terminal. */
const panelOpensMs = 10_000;

const stateKey = 'spoon.terminals';

export interface TerminalRequest {
  readonly name: string;
  readonly target: TerminalTarget;
  readonly location: 'panel' | 'editor';
}

/** The thread terminals of this window: opens them, ends their shells with their tabs, brings them back after a reload. */
export class ThreadTerminals implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #state: vscode.Memento;
  readonly #log: Log;
  readonly #openSafeTerminal: () => void;
  readonly #open = new Map<vscode.Terminal, { pty: ThreadTerminal; connection: Connection }>();
  /** Of somebody else: their tab ends nothing, and they do not come back after a reload. */
  readonly #shared = new WeakSet<ThreadTerminal>();
  readonly #disposables: vscode.Disposable[];
  #following: vscode.Disposable | undefined;

  constructor(parts: { current: CurrentConnection; state: vscode.Memento; log: Log; openSafeTerminal: () => void }) {
    this.#current = parts.current;
    this.#state = parts.state;
    this.#log = parts.log;
    this.#openSafeTerminal = parts.openSafeTerminal;
    this.#disposables = [
      vscode.window.onDidCloseTerminal((terminal) => void this.#closed(terminal)),
      vscode.window.onDidOpenTerminal((terminal) => this.#opened(terminal)),
      parts.current.onDidChange((connection) => this.#follow(connection)),
    ];
  }

  /** Shows it at once; what it is doing stands in it. */
  open(request: TerminalRequest): vscode.Terminal {
    const terminal = this.#create(request);
    terminal.show();
    return terminal;
  }

  /** For VS Code's own "new terminal", which opens it itself. */
  options({ name, target, location }: TerminalRequest): vscode.ExtensionTerminalOptions {
    const connection = this.#current.require();
    const pty = new ThreadTerminal({
      place: connection.terminals,
      target,
      opening: () => openingText(connection, name, target),
      isSettingUp: () => isSettingUp(connection),
      boxRuns: () => connection.box?.state === 'running',
      keepOpenOnExit: () => setting('terminal.keepOpenOnExit'),
      onOpened: (id) => {
        if (target.kind !== 'shared') void this.#remember({ ...ownerOf(connection), id, name, location });
      },
      onEnded: () => this.#forget(pty.id),
      openSafeTerminal: this.#openSafeTerminal,
    });
    if (target.kind === 'shared') this.#shared.add(pty);
    this.#waiting.set(pty, connection);
    return {
      name,
      pty,
      iconPath: new vscode.ThemeIcon(target.kind === 'new' && target.safe ? 'shield' : 'terminal'),
      color: new vscode.ThemeColor('terminal.ansiCyan'),
      location: location === 'editor' ? vscode.TerminalLocation.Editor : vscode.TerminalLocation.Panel,
      isTransient: true,
    };
  }

  /** Made, and not yet shown by VS Code. */
  readonly #waiting = new Map<vscode.Pseudoterminal, Connection>();

  /** Attaches to what this window showed before a reload and what still runs. Never starts a box. */
  async restore(): Promise<void> {
    const connection = this.#current.connection;
    if (connection === undefined || setting('terminal.restore') === 'never') return;
    const owner = ownerOf(connection);
    const shown = new Set([...this.#open.values()].map(({ pty }) => pty.id));
    const mine = this.#remembered().filter(
      ({ instanceId, userId, id }) => instanceId === owner.instanceId && userId === owner.userId && !shown.has(id),
    );
    this.#log.debug(`${mine.length} terminals to bring back`);
    if (mine.length === 0) return;
    try {
      const { terminals } = await connection.api.call('listTerminals');
      const running = new Map(terminals.map((terminal) => [terminal.id, terminal]));
      const restored: vscode.Terminal[] = [];
      for (const { id, name, location } of mine) {
        const size = running.get(id);
        if (size === undefined) await this.#forget(id);
        else restored.push(this.#create({ name, target: { kind: 'running', id, size }, location }));
      }
      const last = restored.at(-1);
      if (last !== undefined) this.#showInOpenPanel(last);
    } catch (error) {
      // Nobody asked for them just now; they stay remembered for the next time.
      this.#log.warn('terminals could not be brought back:', failureText(error));
    }
  }

  /**
   * Whether the panel is open cannot be asked. When it is, VS Code makes a shell of its own for it, before our terminal,
   * after it or at the same time, and then shows its own, at times twice; what the person had there is ours. Once
   * somebody types into that shell, it is wanted.
   */
  #showInOpenPanel(terminal: vscode.Terminal): void {
    const showInstead = (active: vscode.Terminal | undefined): void => {
      if (active !== undefined && !this.#open.has(active) && !active.state.isInteractedWith) terminal.show(true);
    };
    const watching = vscode.window.onDidChangeActiveTerminal(showInstead);
    const stop = vscode.Disposable.from(watching, { dispose: () => clearTimeout(timer) });
    const timer = setTimeout(() => stop.dispose(), panelOpensMs);
    this.#disposables.push(stop);
    showInstead(vscode.window.activeTerminal);
  }

  /** Of a terminal of this window that is one of ours; undefined too before its shell is there. */
  idOf(terminal: vscode.Terminal): string | undefined {
    const pty = this.#open.get(terminal)?.pty;
    return pty === undefined || this.#shared.has(pty) ? undefined : pty.id;
  }

  /** The machine slept: connections may be dead without having been closed. */
  renew(): void {
    for (const { pty } of this.#open.values()) pty.renew();
  }

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #create(request: TerminalRequest): vscode.Terminal {
    const terminal = vscode.window.createTerminal(this.options(request));
    this.#opened(terminal);
    return terminal;
  }

  #opened(terminal: vscode.Terminal): void {
    const { pty } = terminal.creationOptions as Partial<vscode.ExtensionTerminalOptions>;
    const connection = pty === undefined ? undefined : this.#waiting.get(pty);
    if (connection === undefined || !(pty instanceof ThreadTerminal)) return;
    this.#waiting.delete(pty);
    this.#open.set(terminal, { pty, connection });
  }

  /** A tab that a person closes ends its shell, as everywhere; a window that goes away does not. */
  async #closed(terminal: vscode.Terminal): Promise<void> {
    const known = this.#open.get(terminal);
    this.#open.delete(terminal);
    const id = known?.pty.id;
    if (known === undefined || id === undefined || this.#shared.has(known.pty)) return;
    const reason = terminal.exitStatus?.reason;
    this.#log.debug(`terminal ${id} closed, reason ${reason ?? 'not given'}`);
    if (reason !== vscode.TerminalExitReason.User && reason !== vscode.TerminalExitReason.Extension) return;
    await this.#forget(id);
    try {
      await known.connection.api.call('closeTerminal', { params: { id } });
    } catch (error) {
      this.#log.info(`terminal ${id} was not ended: ${failureText(error)}`);
    }
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#following = undefined;
    if (connection === undefined) return;
    const show = () => {
      for (const { pty } of this.#open.values()) pty.showOpening();
    };
    this.#following = vscode.Disposable.from(
      connection.onDidChangeBox(show),
      connection.repository.onDidChange(show),
      connection.onDidChangeState(({ name }) => {
        if (name === 'connected') for (const { pty } of this.#open.values()) pty.renew(true);
      }),
    );
  }

  #remembered(): Remembered[] {
    const stored: unknown = this.#state.get(stateKey);
    return Value.Check(Type.Array(Remembered), stored) ? stored : [];
  }

  async #remember(terminal: Remembered): Promise<void> {
    const others = this.#remembered().filter(({ id }) => id !== terminal.id);
    await this.#state.update(stateKey, [...others, terminal]);
  }

  async #forget(id: string | undefined): Promise<void> {
    await this.#state.update(
      stateKey,
      this.#remembered().filter((terminal) => terminal.id !== id),
    );
  }
}

function ownerOf({ session }: Connection): { instanceId: string; userId: string } {
  return { instanceId: session.instanceId, userId: session.userId };
}

function isSettingUp({ box, repository }: Connection): boolean {
  return box?.state === 'starting' && repository.state?.run?.state === 'running';
}

function openingText(connection: Connection, name: string, target: TerminalTarget): string {
  const state = connection.box?.state;
  if (connection.box?.silentMs !== undefined) {
    return vscode.l10n.t(
      'Your box does not answer. It may be busy; {0} opens once it does. To end it: Restart Box.',
      name,
    );
  }
  if (target.kind === 'running') return vscode.l10n.t('Bringing back {0}…', name);
  if (target.kind === 'shared') return vscode.l10n.t('Opening {0}…', name);
  if (state === 'running') return vscode.l10n.t('Opening {0}…', name);
  if (isSettingUp(connection)) {
    return vscode.l10n.t('Setting up your home from its repository… Press Enter to open {0} without waiting.', name);
  }
  if (state === 'starting') return vscode.l10n.t('Starting your box and writing your dotfiles…');
  return vscode.l10n.t('Your box is not running. Starting it for {0}…', name);
}
