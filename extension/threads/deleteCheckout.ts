import * as vscode from 'vscode';
import type { CheckoutLosses, Thread, ThreadLosses } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText } from '../failure.ts';
import { threadName } from './homeThreads.ts';
import { lossesInWords } from './lossWords.ts';

/** git looks at every branch; a box that is off starts first. */
const losesTimeoutMs = 180_000;

/** *Delete Checkout…*: says by name what would be lost, and deletes exactly that. */
export async function deleteCheckout(connection: Connection, thread: Thread): Promise<void> {
  const { api, threads } = connection;
  const name = threadName(thread);
  const { losses, terminals } = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Looking at what {0} holds…', name) },
    () => api.call('threadLosses', { params: { id: thread.id }, timeoutMs: losesTimeoutMs }),
  );
  const button = losesWork(losses) ? vscode.l10n.t('Delete and Lose This') : vscode.l10n.t('Delete Checkout');
  const detail = asLines({ losses, terminals });
  const question = vscode.l10n.t('Delete the checkout of {0}?', name);
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, button);
  if (answer !== button) return;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Deleting {0}…', name) },
    () =>
      api.call('removeThread', {
        params: { id: thread.id },
        query: { confirm: losses.confirm },
        timeoutMs: losesTimeoutMs,
      }),
  );
  await threads.refresh();
}

function losesWork({ unpushedCount, unsavedCount, stashesCount, unreadable }: CheckoutLosses): boolean {
  return unreadable || unpushedCount + unsavedCount + stashesCount > 0;
}

function asLines(found: ThreadLosses): string {
  return lossesInWords(found)
    .map((line) => (line.startsWith(' ') ? `  ${asPlainText(line.trim())}` : asPlainText(line)))
    .join('\n');
}
