import * as vscode from 'vscode';
import { HomeFilesApi } from '../../client/homeFilesApi.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { accountOf } from '../dotfiles/dotfileUri.ts';
import { setting } from '../settings.ts';
import { ensureBox } from '../threads/boxCommands.ts';
import { threadName } from '../threads/homeThreads.ts';
import { isThreadUri, threadUri } from './threadUri.ts';

const noticeKey = 'spoon.threadFolderNotice';

/** *Open Thread Folder…*: the checkout in the Explorer, in a window of its own unless the setting says otherwise. */
export async function openThreadFolder(connection: Connection, thread: Thread): Promise<void> {
  await ensureBox(connection);
  await requireCheckout(connection, thread);
  const uri = threadUri(accountOf(connection.session), thread.folder);
  if (setting('thread.openIn') === 'addToWorkspace' && (await confirmRestart())) {
    const at = vscode.workspace.workspaceFolders?.length ?? 0;
    vscode.workspace.updateWorkspaceFolders(at, 0, { uri, name: threadName(thread) });
    return;
  }
  await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}

/** @throws SpoonError `not-found` or `path-kind-conflict` where the thread's folder is not one */
export async function requireCheckout(connection: Connection, thread: Thread): Promise<void> {
  const { kind } = await new HomeFilesApi(connection.api).stat(thread.folder).catch((error) => {
    if (!(error instanceof SpoonError && error.code === 'not-found')) throw error;
    throw new SpoonError(
      'not-found',
      `~/${thread.folder} is not there. Open a terminal in the thread to check it out.`,
    );
  });
  if (kind !== 'directory') throw new SpoonError('path-kind-conflict', `~/${thread.folder} is not a folder.`);
}

/** The first folder of a window, and the second, make VS Code restart all extensions. False: rather a new window. */
async function confirmRestart(): Promise<boolean> {
  if ((vscode.workspace.workspaceFolders?.length ?? 0) > 1) return true;
  const add = vscode.l10n.t('Add to Workspace');
  const newWindow = vscode.l10n.t('Open in New Window');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('VS Code restarts its extensions to add this folder.'),
    { modal: true, detail: vscode.l10n.t('Thread terminals of this window come back afterwards, with their screen.') },
    add,
    newWindow,
  );
  if (answer === undefined) throw new vscode.CancellationError();
  return answer === add;
}

/** In a window that shows a thread's folder: what does not work there is said once, and what does instead. */
export function welcomeToThreadFolder(current: CurrentConnection, state: vscode.Memento): vscode.Disposable {
  const isThreadFolder = vscode.workspace.workspaceFolders?.some(({ uri }) => isThreadUri(uri)) ?? false;
  setContext('spoon.inThreadFolder', isThreadFolder);
  if (!isThreadFolder) return new vscode.Disposable(() => undefined);
  if (state.get(noticeKey) !== true) void sayOnce(state);
  let isOffered = false;
  const offerStart = (): void => {
    const box = current.connection?.box;
    if (box === undefined || box.state === 'running' || box.state === 'starting' || isOffered) {
      if (box?.state === 'running') isOffered = false;
      return;
    }
    isOffered = true;
    void askToStart();
  };
  let following: vscode.Disposable | undefined;
  const subscription = current.onDidChange((connection) => {
    following?.dispose();
    following = connection?.onDidChangeBox(offerStart);
  });
  return new vscode.Disposable(() => {
    subscription.dispose();
    following?.dispose();
  });
}

async function sayOnce(state: vscode.Memento): Promise<void> {
  const search = vscode.l10n.t('Search in Thread…');
  const goToFile = vscode.l10n.t('Go to File…');
  const understood = vscode.l10n.t("Don't Show Again");
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t(
      "This folder is in your box. Reading and editing work; VS Code's own search, source control and most language features do not.",
    ),
    search,
    goToFile,
    understood,
  );
  if (answer === search) await vscode.commands.executeCommand('spoon.thread.search');
  if (answer === goToFile) await vscode.commands.executeCommand('spoon.thread.goToFile');
  if (answer === understood) await state.update(noticeKey, true);
}

async function askToStart(): Promise<void> {
  const start = vscode.l10n.t('Start Box');
  const text = vscode.l10n.t('Your box is off, so the files of this folder cannot be read or saved.');
  if ((await vscode.window.showWarningMessage(text, start)) === start) {
    await vscode.commands.executeCommand('spoon.box.start');
  }
}
