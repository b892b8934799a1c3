import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { Coalesce } from './coalesce.ts';
import type { DotfileClipboard } from './dotfileClipboard.ts';
import { isBinaryName, isExecutable, stateText } from './dotfileFacts.ts';
import type { Entry } from './dotfileIndex.ts';
import { accountOf, dotfileScheme, dotfileUri, pathOf } from './dotfileUri.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';

/** Letters beside the names of dotfiles, in the tree, the tabs and the Explorer. A letter each, never colour alone. */
export class DotfileDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #clipboard: DotfileClipboard;
  readonly #changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly #news = new Coalesce<readonly string[]>(100, (paths) => this.#tell(paths.flat()));
  readonly #disposables: vscode.Disposable[];
  #following: vscode.Disposable | undefined;
  readonly onDidChangeFileDecorations = this.#changed.event;

  constructor(current: CurrentConnection, clipboard: DotfileClipboard) {
    this.#current = current;
    this.#clipboard = clipboard;
    this.#disposables = [
      this.#changed,
      vscode.window.registerFileDecorationProvider(this),
      clipboard.onDidChangeCut((paths) => this.#news.add(paths)),
      current.onDidChange((connection) => {
        this.#following?.dispose();
        this.#news.clear();
        if (connection === undefined) return;
        this.#following = vscode.Disposable.from(
          connection.dotfiles.onDidChangeProblems((paths) => this.#news.add(paths)),
          connection.dotfiles.onDidChange(({ changed }) => this.#news.add(changed)),
        );
      }),
    ];
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const connection = this.#current.connection;
    if (uri.scheme !== dotfileScheme || connection === undefined) return undefined;
    if (accountOf(connection.session) !== uri.authority) return undefined;
    const path = pathOf(uri);
    const state = stateDecoration(path, connection.dotfiles);
    if (state !== undefined) return state;
    if (this.#clipboard.isCut(path)) {
      const color = new vscode.ThemeColor('disabledForeground');
      return new vscode.FileDecoration(undefined, vscode.l10n.t('Cut'), color);
    }
    const entry = connection.dotfiles.entry(path);
    return entry === undefined ? undefined : kindDecoration(entry);
  }

  dispose(): void {
    this.#news.clear();
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #tell(paths: readonly string[]): void {
    const connection = this.#current.connection;
    if (connection === undefined || paths.length === 0) return;
    const account = accountOf(connection.session);
    this.#changed.fire([...new Set(paths)].map((path) => dotfileUri(account, path)));
  }
}

/** `M` changed in the box, `P` on its way there, `!` needs somebody to look at it. */
function stateDecoration(path: string, dotfiles: HomeDotfiles): vscode.FileDecoration | undefined {
  const problem = dotfiles.problem(path);
  const drift = dotfiles.drift(path);
  if (problem === undefined && drift === undefined) return undefined;
  const isGrave = drift === undefined ? problem?.state !== 'pending' : drift.state === 'conflict';
  const [badge, color] = isGrave
    ? ['!', 'list.errorForeground']
    : [drift === undefined ? 'P' : 'M', 'list.warningForeground'];
  const decoration = new vscode.FileDecoration(badge, stateText(path, dotfiles), new vscode.ThemeColor(color));
  decoration.propagate = true;
  return decoration;
}

function kindDecoration(entry: Entry): vscode.FileDecoration | undefined {
  // The sign that the Explorer has for it.
  if (entry.kind === 'symlink') return new vscode.FileDecoration('\u2937', vscode.l10n.t('Symbolic link'));
  if (isExecutable(entry)) return new vscode.FileDecoration('x', vscode.l10n.t('Executable'));
  return isBinaryName(entry) ? new vscode.FileDecoration('B', vscode.l10n.t('Binary')) : undefined;
}
