import * as vscode from 'vscode';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import { fileSystemError } from '../dotfiles/fileSystemError.ts';
import { failureText } from '../failure.ts';

/** As {@link fileSystemError}, for files in the box. VS Code shows the text itself, so nothing else may. */
export function threadFileError(error: unknown, uri: vscode.Uri): Error {
  if (!(error instanceof SpoonError)) return fileSystemError(error, uri);
  const text = advice[error.code];
  if (text !== undefined) return vscode.FileSystemError.Unavailable(`${failureText(error)} ${text}`);
  if (noPermission.has(error.code)) return vscode.FileSystemError.NoPermissions(failureText(error));
  return fileSystemError(error, uri);
}

const noPermission = new Set<ErrorCode>([
  'home-not-readable',
  'home-not-writable',
  'folder-not-empty',
  'not-a-regular-file',
  'path-through-symlink',
]);

const keep = 'Your changes stay in the editor.';

const advice: Partial<Record<ErrorCode, string>> = {
  'box-stopped': `${keep} Run "Spoon: Start Box" and save again.`,
  'box-unavailable': `${keep} Save again in a moment.`,
  'body-too-large': 'The editor takes files of the box of up to 10 MiB; use a terminal for larger ones.',
  'insufficient-storage': `${keep} Delete something in the home and save again.`,
};

export function requireSameHome(from: vscode.Uri, to: vscode.Uri): void {
  if (from.authority !== to.authority) {
    throw vscode.FileSystemError.NoPermissions(vscode.l10n.t('Copy it to another account instead.'));
  }
}
