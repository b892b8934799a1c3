import * as vscode from 'vscode';
import { nameOf } from './dotfileIndex.ts';
import { versionUri } from './dotfileUri.ts';

/** @throws FileSystemError, which VS Code shows as the reason why it was not saved, unless the person overwrites */
export async function askAboutConflict(file: {
  readonly uri: vscode.Uri;
  readonly account: string;
  readonly path: string;
  readonly version: number;
}): Promise<void> {
  const name = nameOf(file.path);
  const compare = vscode.l10n.t('Compare');
  const overwrite = vscode.l10n.t('Overwrite');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} was changed elsewhere since you opened it.', name),
    { modal: true, detail: vscode.l10n.t('Overwriting keeps the other version in the history of the file.') },
    compare,
    overwrite,
  );
  if (answer === overwrite) return;
  if (answer === compare) {
    const theirs = versionUri(file.account, file.path, file.version);
    const title = vscode.l10n.t('{0} (on the service) ↔ {0} (yours)', name);
    // After the failed save has been reported, so that the comparison has the focus.
    setTimeout(() => void vscode.commands.executeCommand('vscode.diff', theirs, file.uri, title), 0);
  }
  throw vscode.FileSystemError.Unavailable(vscode.l10n.t('It was changed elsewhere. Your changes stay in the editor.'));
}
