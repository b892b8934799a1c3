import * as vscode from 'vscode';
import { isEndedJobState, type Job } from '../../protocol/jobs.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';

const scheme = 'spoon-job';
/** While it runs, its text is read again so often. */
const followMs = 1_000;

/** The log of a job as text, which grows while it runs, and its diff: documents to search and to copy from. */
export class JobDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #registration: vscode.Disposable;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly onDidChange = this.#changed.event;

  constructor(current: CurrentConnection) {
    this.#current = current;
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(scheme, this);
    this.#timer = setInterval(() => this.#follow(), followMs);
  }

  /** @param line from 1 */
  async showLog(job: Job, line?: number): Promise<void> {
    const uri = uriOf(job, 'log');
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    const selection = line === undefined ? {} : { selection: new vscode.Range(line - 1, 0, line - 1, 0) };
    await vscode.window.showTextDocument(document, { preview: true, ...selection });
  }

  async showDiff(job: Job): Promise<void> {
    const uri = uriOf(job, 'diff');
    this.#changed.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.languages.setTextDocumentLanguage(document, 'diff');
    await vscode.window.showTextDocument(document, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const connection = this.#current.connection;
    if (connection === undefined) return '';
    const { id, isDiff } = partsOf(uri);
    const params = { id };
    const { bytes } = isDiff
      ? await connection.api.call('jobDiff', { params })
      : await connection.api.call('jobLog', { params, query: { format: 'text' } });
    const nothing = isDiff ? vscode.l10n.t('No file was changed.') : vscode.l10n.t('Nothing has been printed yet.');
    return new TextDecoder().decode(bytes) || nothing;
  }

  dispose(): void {
    clearInterval(this.#timer);
    vscode.Disposable.from(this.#changed, this.#registration).dispose();
  }

  #follow(): void {
    const connection = this.#current.connection;
    if (connection?.state.name !== 'connected') return;
    for (const { document } of vscode.window.visibleTextEditors) {
      if (document.uri.scheme !== scheme) continue;
      const job = connection.jobs.find(partsOf(document.uri).id);
      const isOver = job === undefined || isEndedJobState(job.state);
      const key = document.uri.toString();
      // Once more after the end: the last lines.
      if (!isOver || this.#live.has(key)) this.#changed.fire(document.uri);
      if (isOver) this.#live.delete(key);
      else this.#live.add(key);
    }
  }

  readonly #live = new Set<string>();
}

function uriOf({ id, title, thread }: Job, kind: 'log' | 'diff'): vscode.Uri {
  const name = asPlainText(`${thread} ${title}`).replaceAll('/', '-').slice(0, 60).trim();
  return vscode.Uri.from({ scheme, path: `/${id}/${name}.${kind}` });
}

function partsOf({ path }: vscode.Uri): { id: string; isDiff: boolean } {
  return { id: path.split('/')[1] ?? '', isDiff: path.endsWith('.diff') };
}
