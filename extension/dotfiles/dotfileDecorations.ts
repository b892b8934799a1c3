import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { problemText } from './dotfilesTree.ts';
import { accountOf, dotfileScheme, dotfileUri, pathOf } from './dotfileUri.ts';

/** Letters beside the names of dotfiles, in the tree, the tabs and the Explorer. A letter each, never colour alone. */
export class DotfileDecorations implements vscode.FileDecorationProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #changed = new vscode.EventEmitter<vscode.Uri[]>();
  readonly #disposables: vscode.Disposable[];
  #following: vscode.Disposable | undefined;
  readonly onDidChangeFileDecorations = this.#changed.event;

  constructor(current: CurrentConnection) {
    this.#current = current;
    this.#disposables = [
      this.#changed,
      vscode.window.registerFileDecorationProvider(this),
      current.onDidChange((connection) => {
        this.#following?.dispose();
        if (connection === undefined) return;
        const tell = (paths: readonly string[]): void =>
          this.#changed.fire(paths.map((path) => dotfileUri(accountOf(connection.session), path)));
        this.#following = vscode.Disposable.from(
          connection.dotfiles.onDidChangeProblems(tell),
          connection.dotfiles.onDidChange(({ changed }) => tell(changed)),
        );
      }),
    ];
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const connection = this.#current.connection;
    if (uri.scheme !== dotfileScheme || connection === undefined) return undefined;
    if (accountOf(connection.session) !== uri.authority) return undefined;
    const path = pathOf(uri);
    const problem = connection.dotfiles.problem(path);
    if (problem !== undefined) {
      const isPending = problem.state === 'pending';
      const color = new vscode.ThemeColor(isPending ? 'list.warningForeground' : 'list.errorForeground');
      const text = problemText(problem.state, problem.detail);
      const decoration = new vscode.FileDecoration(isPending ? 'P' : '!', text, color);
      decoration.propagate = true;
      return decoration;
    }
    const dotfile = connection.dotfiles.entry(path)?.dotfile;
    if (dotfile?.kind === 'file' && (dotfile.mode & 0o111) !== 0) {
      return new vscode.FileDecoration('x', vscode.l10n.t('Executable'));
    }
    return undefined;
  }

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }
}
