import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';

/** What somebody who helps needs to know, without a token, a path or a name in it. */
export function diagnosticsText(current: CurrentConnection, extensionVersion: string): string {
  const { connection, state } = current;
  const error =
    'error' in state && state.error !== undefined ? ` (${state.error.code}: ${failureText(state.error)})` : '';
  const lines = [
    `Spoon ${extensionVersion}, VS Code ${vscode.version}, ${vscode.env.appName}`,
    `Extension host: ${vscode.env.remoteName === undefined ? 'local' : 'remote'}, ${vscode.env.uiKind === vscode.UIKind.Web ? 'web' : 'desktop'}`,
    `Connection: ${state.name}${error}`,
  ];
  if (connection !== undefined) {
    const { box, dotfiles } = connection;
    lines.push(
      `Service: ${new URL(connection.session.url).protocol}//…, instance ${connection.session.instanceId}`,
      `Dotfiles: ${dotfiles.isListed ? dotfiles.count : 'not listed'}`,
      `Box: ${box === undefined ? 'not known' : `${box.state}, engine ${box.engine}, ${box.holders.length} holders${box.outdated === undefined ? '' : `, outdated: ${box.outdated.join(', ')}`}`}`,
      ...(box?.stages ?? []).map(
        ({ name, state: result, durationMs }) => `  ${name}: ${result}, ${durationMs.toFixed(0)} ms`,
      ),
    );
  }
  return lines.join('\n');
}
