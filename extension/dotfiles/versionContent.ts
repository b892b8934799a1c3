import * as vscode from 'vscode';
import { parseHomePath } from '../../protocol/homePath.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { pathOf, versionScheme } from './dotfileUri.ts';

/** Kept versions as read-only documents, for comparisons. */
export function registerVersionContent(current: CurrentConnection): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(versionScheme, {
    async provideTextDocumentContent(uri) {
      const [version = '', ...segments] = pathOf(uri).split('/');
      const { dotfiles } = current.require();
      const { bytes } = await dotfiles.readVersion(parseHomePath(segments.join('/')), Number(version));
      return new TextDecoder().decode(bytes);
    },
  });
}
