import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { accountOf } from '../dotfiles/dotfileUri.ts';
import { threadUri } from '../threadFolder/threadUri.ts';
import { logLinks } from './logLinks.ts';

const scheme = 'spoon-setup';
const uri = vscode.Uri.from({ scheme, path: '/Dotfiles Setup.log' });
/** While a run goes on, its log is read again so often. */
const followMs = 1_000;

/** What the last run of the dotfiles repository printed, as a document that grows while it runs, with links to files. */
export class RepositoryLog
  implements vscode.TextDocumentContentProvider, vscode.DocumentLinkProvider, vscode.Disposable
{
  readonly #current: CurrentConnection;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #disposables: vscode.Disposable[];
  #following: ReturnType<typeof setTimeout> | undefined;
  readonly onDidChange = this.#changed.event;

  constructor(current: CurrentConnection) {
    this.#current = current;
    this.#disposables = [
      this.#changed,
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.languages.registerDocumentLinkProvider({ scheme }, this),
    ];
  }

  async show(): Promise<void> {
    this.#current.require();
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, 'log');
    await vscode.window.showTextDocument(document, { preview: true });
    this.#follow();
  }

  /** The run is another one, or further on. */
  changed(): void {
    if (this.#isOpen()) this.#changed.fire(uri);
    this.#follow();
  }

  async provideTextDocumentContent(): Promise<string> {
    const connection = this.#current.connection;
    if (connection === undefined) return '';
    const { bytes } = await connection.api.call('repositoryLog');
    return new TextDecoder().decode(bytes) || vscode.l10n.t('Nothing has run yet.');
  }

  provideDocumentLinks(document: vscode.TextDocument): vscode.DocumentLink[] {
    const connection = this.#current.connection;
    if (connection === undefined) return [];
    const home = `/home/${connection.session.username}`;
    return Array.from({ length: document.lineCount }, (_, number) => document.lineAt(number)).flatMap(
      ({ text, lineNumber }) =>
        logLinks(text, home).map(({ start, end, path, line }) => {
          const target = fileUri(connection, path).with({ fragment: `L${line}` });
          return new vscode.DocumentLink(new vscode.Range(lineNumber, start, lineNumber, end), target);
        }),
    );
  }

  dispose(): void {
    clearTimeout(this.#following);
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #isOpen(): boolean {
    return vscode.workspace.textDocuments.some((document) => document.uri.scheme === scheme);
  }

  #follow(): void {
    clearTimeout(this.#following);
    if (this.#current.connection?.repository.state?.run?.state !== 'running' || !this.#isOpen()) return;
    this.#following = setTimeout(() => this.changed(), followMs);
  }
}

/** A file of the box, as the folders of threads show it. */
function fileUri(connection: Connection, path: string): vscode.Uri {
  return threadUri(accountOf(connection.session), path);
}
