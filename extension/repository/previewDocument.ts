import * as vscode from 'vscode';

const scheme = 'spoon-preview';
const uri = vscode.Uri.from({ scheme, path: '/Dotfiles Preview.txt' });

/** What a run of the dotfiles repository would do, or did in a scratch box, as a document. The last one only: an older one is no longer true. */
export class PreviewDocument implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  /** After the event above: VS Code looks for it here and now. */
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
  #text = '';

  async show(title: string, lines: readonly string[]): Promise<void> {
    this.#text = [title, '', ...lines, ''].join('\n');
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
    // For the colours of what changes in the files.
    await vscode.languages.setTextDocumentLanguage(document, 'diff');
  }

  provideTextDocumentContent(): string {
    return this.#text;
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
