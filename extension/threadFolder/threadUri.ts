import * as vscode from 'vscode';

/** `spoon-thread://<account>/<path below the home>`; the account as in `dotfileUri.ts`. */
export const threadScheme = 'spoon-thread';
/** The same, read-only and as it is in the box now: the other side of a comparison. */
export const boxVersionScheme = 'spoon-thread-box';

/** @param path relative to the home */
export function threadUri(account: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: threadScheme, authority: account, path: `/${path}` });
}

export function isThreadUri({ scheme }: vscode.Uri): boolean {
  return scheme === threadScheme;
}
