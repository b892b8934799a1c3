import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import { isThreadUri } from './threadUri.ts';

/** Calls each time that files of the box can be read again: the service answers, and the box runs. */
export function onReachable(connection: Connection, call: () => void): vscode.Disposable {
  const isReachable = (): boolean => connection.state.name === 'connected' && connection.box?.state === 'running';
  let was = isReachable();
  const look = (): void => {
    const is = isReachable();
    if (is && !was) call();
    was = is;
  };
  return vscode.Disposable.from(connection.onDidChangeState(look), connection.onDidChangeBox(look));
}

/** The Explorer gives up on a folder that could not be read; nothing but this makes it look again. */
export function refreshExplorer(): void {
  if (vscode.workspace.workspaceFolders?.some(({ uri }) => isThreadUri(uri))) {
    void vscode.commands.executeCommand('workbench.files.action.refreshFilesExplorer');
  }
}
