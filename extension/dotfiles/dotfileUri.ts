import * as vscode from 'vscode';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import type { Session } from '../auth/sessions.ts';

/**
 * `spoon-dotfiles://<account>/<path below the home>`; versions under `spoon-dotfiles-version://<account>/<version>/<path>`.
 * The account is short and lower-case, because VS Code compares it without regard to case: letters of the service's id and
 * the username, so that a file of one account is never taken for that of another.
 */
export const dotfileScheme = 'spoon-dotfiles';
export const versionScheme = 'spoon-dotfiles-version';

export function accountOf({ instanceId, username }: Pick<Session, 'instanceId' | 'username'>): string {
  return `${instanceId
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .slice(0, 8)}-${username}`;
}

export function dotfileUri(account: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: dotfileScheme, authority: account, path: `/${path}` });
}

export function versionUri(account: string, path: string, version: number): vscode.Uri {
  return vscode.Uri.from({ scheme: versionScheme, authority: account, path: `/${version}/${path}` });
}

/** What the home of the running box has there, beside the versions. */
export function homeUri(account: string, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: versionScheme, authority: account, path: `/home/${path}` });
}

/** Empty for the home itself. Not checked: `stat` is asked for whatever VS Code thinks could be there. */
export function pathOf(uri: vscode.Uri): string {
  return uri.path.replace(/^\/+/, '').replace(/\/+$/, '');
}

/** @throws SpoonError `path-…` */
export function homePathOf(uri: vscode.Uri): HomePath {
  return parseHomePath(pathOf(uri));
}
