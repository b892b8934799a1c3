import * as vscode from 'vscode';
import { maxJobPromptBytes } from '../../protocol/limits.ts';
import { askStep } from '../auth/inputSteps.ts';
import type { Connection } from '../connection/connection.ts';
import { setContext } from '../contextKeys.ts';

/** Where a prompt of several lines is written, before it is one. */
export class PromptDocuments implements vscode.Disposable {
  /** By the uri of the document. */
  readonly #threads = new Map<string, string>();
  readonly #following: vscode.Disposable;

  constructor() {
    this.#following = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor(() => this.#show()),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.#threads.delete(uri.toString())),
    );
  }

  async open(thread: string, text: string): Promise<void> {
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content: text });
    this.#threads.set(document.uri.toString(), thread);
    await vscode.window.showTextDocument(document);
    this.#show();
    const hint = vscode.l10n.t('Write the prompt for {0}, then press Run as Job in the title of the editor.', thread);
    vscode.window.setStatusBarMessage(hint, 10_000);
  }

  /** The prompt in the editor, and for which thread. Undefined: it is another document. */
  get shown(): { readonly thread: string; readonly prompt: string } | undefined {
    const document = vscode.window.activeTextEditor?.document;
    const thread = document === undefined ? undefined : this.#threads.get(document.uri.toString());
    return document === undefined || thread === undefined ? undefined : { thread, prompt: document.getText() };
  }

  /** It is a job now: nothing in it is to be saved. */
  async close(): Promise<void> {
    if (this.shown !== undefined) await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
  }

  dispose(): void {
    this.#following.dispose();
  }

  #show(): void {
    setContext('spoon.jobs.writesPrompt', this.shown !== undefined);
  }
}

export function promptComplaint(prompt: string): string | undefined {
  if (prompt.trim() === '') return vscode.l10n.t('The prompt is empty.');
  if (new TextEncoder().encode(prompt).length <= maxJobPromptBytes) return undefined;
  return vscode.l10n.t('A prompt may have {0} KiB.', maxJobPromptBytes / 1024);
}

/** Undefined when it is written in an editor instead. @throws vscode.CancellationError */
export async function askPrompt(
  { jobs }: Connection,
  thread: string,
  documents: PromptDocuments,
): Promise<string | undefined> {
  const waiting = jobs.unfinished.filter((job) => job.thread === thread).length;
  const editor = { iconPath: new vscode.ThemeIcon('edit'), tooltip: vscode.l10n.t('Write Several Lines in an Editor') };
  const answer = await askStep<{ readonly prompt: string | undefined }>({
    title: vscode.l10n.t('New Job in {0}', thread),
    step: 1,
    totalSteps: 1,
    prompt: [
      vscode.l10n.t("What the service's agent is to do. For several lines use the button above."),
      waiting > 0 ? vscode.l10n.t('It runs after the other jobs of this thread ({0}).', waiting) : '',
    ]
      .filter(Boolean)
      .join(' '),
    value: '',
    check: promptComplaint,
    accept: async (typed) => ({ prompt: typed }),
    others: [
      {
        button: editor,
        take: async () => {
          await documents.open(thread, '');
          return { prompt: undefined };
        },
      },
    ],
  });
  return answer === 'back' ? undefined : answer.prompt;
}
