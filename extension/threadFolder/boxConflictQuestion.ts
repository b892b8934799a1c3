import * as vscode from 'vscode';
import { HomeFilesApi } from '../../client/homeFilesApi.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { pathOf } from '../dotfiles/dotfileUri.ts';
import { boxVersionScheme } from './threadUri.ts';

/**
 * A file that something in the box wrote since it was opened, to the same size, which VS Code does not notice.
 * @throws FileSystemError, which VS Code shows as the reason why it was not saved, unless the person overwrites
 */
export async function askAboutBoxConflict(uri: vscode.Uri): Promise<void> {
  const name = uri.path.slice(uri.path.lastIndexOf('/') + 1);
  const compare = vscode.l10n.t('Compare');
  const overwrite = vscode.l10n.t('Overwrite');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} was changed in the box since you opened it.', name),
    { modal: true, detail: vscode.l10n.t('Overwriting replaces what is there now.') },
    compare,
    overwrite,
  );
  if (answer === overwrite) return;
  if (answer === compare) {
    const theirs = uri.with({ scheme: boxVersionScheme });
    const title = vscode.l10n.t('{0} (in the box) ↔ {0} (yours)', name);
    // After the failed save has been reported, so that the comparison has the focus.
    setTimeout(() => void vscode.commands.executeCommand('vscode.diff', theirs, uri, title), 0);
  }
  throw vscode.FileSystemError.Unavailable(
    vscode.l10n.t('It was changed in the box. Your changes stay in the editor.'),
  );
}

/** The other side of that comparison. */
export function registerBoxVersions(current: CurrentConnection): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(boxVersionScheme, {
    async provideTextDocumentContent(uri) {
      const { bytes } = await new HomeFilesApi(current.require().api).read(pathOf(uri));
      return new TextDecoder().decode(bytes);
    },
  });
}
