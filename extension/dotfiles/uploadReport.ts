import * as vscode from 'vscode';
import type { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { failureText } from '../failure.ts';
import type { Placed, Refused } from './dropPlan.ts';
import type { Suspect } from './secretNudge.ts';
import type { Source } from './uploadSources.ts';

export interface UploadResult {
  readonly stored: readonly HomePath[];
  readonly refused: readonly Refused[];
  /** Not sent, because it was cancelled or interrupted. */
  readonly unsent: readonly Placed<Source>[];
  /** Of what was stored, what looks like a secret. */
  readonly suspects: readonly Suspect[];
  readonly total: number;
  /** Why it did not go on; undefined when it was done or cancelled. */
  readonly interruption: SpoonError | undefined;
}

const reportScheme = 'spoon-report';

/** Says what became of an upload, where there is more to say than the tree shows; the whole list is a document. */
export class UploadReports implements vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #registration: vscode.Disposable;

  constructor() {
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(reportScheme, {
      provideTextDocumentContent: ({ path }) => this.#texts.get(path) ?? '',
    });
  }

  /** @param resume sends what was left; offered when it was interrupted */
  show(result: UploadResult, resume: () => void): void {
    const { stored, refused, unsent, total, interruption } = result;
    const some = vscode.l10n.t('{0} of {1} files were uploaded and stay.', stored.length, total + refused.length);
    if (interruption !== undefined) {
      const rest = vscode.l10n.t('Upload the Rest');
      void vscode.window.showErrorMessage(`${failureText(interruption)} ${some}`, rest).then((answer) => {
        if (answer === rest) resume();
      });
      return;
    }
    const details = vscode.l10n.t('Show Details');
    const parts = [
      unsent.length > 0 ? vscode.l10n.t('Cancelled.') : '',
      some,
      refused.length > 0 ? vscode.l10n.t('{0} were refused.', refused.length) : '',
    ];
    const message = parts.filter(Boolean).join(' ');
    if (refused.length > 0) {
      void vscode.window.showWarningMessage(message, details).then((answer) => {
        if (answer === details) return this.#open(result);
        return undefined;
      });
    } else if (unsent.length > 0) {
      void vscode.window.showInformationMessage(message, details).then((answer) => {
        if (answer === details) return this.#open(result);
        return undefined;
      });
    } else if (total > 0) {
      const text =
        total === 1 ? vscode.l10n.t('1 dotfile uploaded') : vscode.l10n.t('{0} dotfiles uploaded', stored.length);
      vscode.window.setStatusBarMessage(text, 5000);
    }
  }

  dispose(): void {
    this.#registration.dispose();
  }

  async #open({ stored, refused, unsent }: UploadResult): Promise<void> {
    const sections = [
      section(
        vscode.l10n.t('Refused'),
        refused.map(({ name, why }) => `${name}: ${why}`),
      ),
      section(
        vscode.l10n.t('Not uploaded'),
        unsent.map(({ path }) => path),
      ),
      section(vscode.l10n.t('Uploaded'), stored),
    ];
    const path = `/${vscode.l10n.t('Upload')} ${this.#texts.size + 1}`;
    this.#texts.set(path, sections.filter(Boolean).join('\n'));
    const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: reportScheme, path }));
    await vscode.window.showTextDocument(document);
  }
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title} (${lines.length})\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
