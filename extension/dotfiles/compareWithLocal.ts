import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { nameOf } from './dotfileIndex.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';

/** *Compare with Local File…*: a dotfile beside a file of the disk in front of the person. */
export async function compareWithLocal(current: CurrentConnection, path: string | undefined): Promise<void> {
  const { session, dotfiles } = current.require();
  if (path === undefined || dotfiles.entry(path)?.kind !== 'file') return;
  const [local] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Compare {0} with a Local File', nameOf(path)),
      openLabel: vscode.l10n.t('Compare'),
    })) ?? [];
  if (local === undefined) return;
  const title = vscode.l10n.t('{0} (local) ↔ {0} (Spoon)', nameOf(path));
  await vscode.commands.executeCommand('vscode.diff', local, dotfileUri(accountOf(session), path), title);
}
