import * as vscode from 'vscode';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import { asPlainText } from '../failure.ts';
import { isThreadUri } from '../threadFolder/threadUri.ts';
import { threadName } from './homeThreads.ts';
import { statusInBrief } from './threadWords.ts';

/** The thread that a window shows: of the file in the editor, else of its folder. */
export function threadInView({ threads }: Connection): Thread | undefined {
  const shown = vscode.window.activeTextEditor?.document.uri;
  const uris = [
    ...(shown === undefined ? [] : [shown]),
    ...(vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri),
  ];
  for (const uri of uris) {
    const thread = isThreadUri(uri) ? threads.threadAt(uri.path.slice(1)) : undefined;
    if (thread !== undefined) return thread;
  }
  return undefined;
}

/** Asks which thread is meant; with one there is nothing to ask. */
export async function pickThread(connection: Connection, title: string): Promise<Thread | undefined> {
  const { threads } = connection;
  if (!threads.isListed) await threads.refresh();
  const [only] = threads.threads;
  if (only !== undefined && threads.threads.length === 1) return only;
  const items = threads.threads.map((thread) => ({
    label: threadName(thread),
    description: asPlainText(statusInBrief(thread.status, thread.branch)),
    iconPath: new vscode.ThemeIcon('git-branch'),
    thread,
  }));
  if (items.length === 0) {
    const make = {
      label: vscode.l10n.t('New Thread…'),
      detail: vscode.l10n.t('There are no threads yet.'),
      thread: undefined,
    };
    const choice = await vscode.window.showQuickPick([{ ...make, iconPath: new vscode.ThemeIcon('add') }], { title });
    if (choice !== undefined) await vscode.commands.executeCommand('spoon.thread.new');
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.thread;
}
