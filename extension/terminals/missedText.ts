import * as vscode from 'vscode';

export function missedText(bytes: number): string {
  const amount = bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
  return vscode.l10n.t('{0} of output were printed meanwhile and are gone.', amount);
}
