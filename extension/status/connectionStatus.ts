import * as vscode from 'vscode';
import type { CommandId } from '../commandIds.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';

/** The one status bar item: which service, and how it stands. Not there while nobody is signed in. */
export class ConnectionStatus implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #item: vscode.StatusBarItem;
  readonly #subscription: vscode.Disposable;
  #boxOf: Connection | undefined;
  #boxSubscription: vscode.Disposable | undefined;

  constructor(current: CurrentConnection) {
    this.#current = current;
    this.#item = vscode.window.createStatusBarItem('spoon.status', vscode.StatusBarAlignment.Left);
    this.#item.name = 'Spoon';
    this.#item.command = 'spoon.showStatus' satisfies CommandId;
    this.#subscription = current.onDidChangeState(() => this.#show());
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#boxSubscription?.dispose();
    this.#item.dispose();
  }

  #show(): void {
    const { connection, state } = this.#current;
    if (connection !== this.#boxOf) {
      this.#boxSubscription?.dispose();
      this.#boxOf = connection;
      this.#boxSubscription = connection?.onDidChangeBox(() => this.#show());
    }
    if (connection === undefined) {
      this.#item.hide();
      return;
    }
    const { host } = connection;
    const shown = {
      connecting: { icon: '$(loading~spin)', text: host, says: vscode.l10n.t('Connecting to {0}', host) },
      connected: { icon: '$(vm)', text: host, says: vscode.l10n.t('Connected to {0}', host) },
      offline: {
        icon: '$(warning)',
        text: vscode.l10n.t('Spoon offline'),
        says: vscode.l10n.t('{0} does not answer; trying again', host),
      },
      incompatible: {
        icon: '$(warning)',
        text: vscode.l10n.t('Spoon: update needed'),
        says: vscode.l10n.t('{0} speaks another version', host),
      },
      refused: {
        icon: '$(warning)',
        text: vscode.l10n.t('Spoon: sign in'),
        says: vscode.l10n.t('{0} does not take the token', host),
      },
      signedOut: { icon: '', text: '', says: '' },
    }[state.name];
    const why = 'error' in state && state.error !== undefined ? `\n${failureText(state.error)}` : '';
    const isSilent = state.name === 'connected' && connection.box?.silentMs !== undefined;
    this.#item.text = isSilent ? `$(warning) ${vscode.l10n.t('Box does not answer')}` : `${shown.icon} ${shown.text}`;
    const age = state.name === 'connected' ? boxWords(connection.box) : '';
    this.#item.tooltip = `${shown.says}${why}${age && `\n${age}`}`;
    this.#item.accessibilityInformation = { label: `Spoon, ${shown.says}${age && `. ${age}`}`, role: 'button' };
    this.#item.show();
  }
}

interface Entry extends vscode.QuickPickItem {
  readonly command?: CommandId;
}

/** What can be done about the service, from the status bar. */
export async function showStatusMenu(current: CurrentConnection): Promise<void> {
  const { connection, state } = current;
  const isConnected = state.name === 'connected';
  const entries: Entry[] =
    connection === undefined
      ? [{ label: vscode.l10n.t('Sign In…'), iconPath: new vscode.ThemeIcon('sign-in'), command: 'spoon.signIn' }]
      : [
          ...(isConnected ? [] : [entry(vscode.l10n.t('Reconnect Now'), 'debug-restart', 'spoon.reconnect')]),
          ...(connection.box?.silentMs === undefined
            ? []
            : [entry(vscode.l10n.t('Restart Box…'), 'debug-restart', 'spoon.box.restart')]),
          entry(vscode.l10n.t('Open Thread Terminal…'), 'terminal', 'spoon.openThreadTerminal'),
          entry(vscode.l10n.t('Open Dotfile by Path…'), 'go-to-file', 'spoon.dotfiles.openByPath'),
          { label: connection.session.displayName, kind: vscode.QuickPickItemKind.Separator },
          entry(vscode.l10n.t('Switch Service…'), 'server', 'spoon.switchService'),
          entry(vscode.l10n.t('Sign Out'), 'sign-out', 'spoon.signOut'),
        ];
  entries.push(
    { label: '', kind: vscode.QuickPickItemKind.Separator },
    entry(vscode.l10n.t('Show Log'), 'output', 'spoon.showLog'),
    entry(vscode.l10n.t('Copy Diagnostics'), 'copy', 'spoon.copyDiagnostics'),
  );
  const why = 'error' in state && state.error !== undefined ? failureText(state.error) : undefined;
  const picked = await vscode.window.showQuickPick(entries, {
    title: connection === undefined ? 'Spoon' : `Spoon: ${connection.host}`,
    placeHolder: why ?? (isConnected ? boxText(current) : vscode.l10n.t('What would you like to do?')),
  });
  if (picked?.command !== undefined) await vscode.commands.executeCommand(picked.command);
}

function entry(label: string, icon: string, command: CommandId): Entry {
  return { label, iconPath: new vscode.ThemeIcon(icon), command };
}

function boxText({ connection }: CurrentConnection): string {
  const box = connection?.box;
  if (box === undefined) return vscode.l10n.t('What would you like to do?');
  const engine = box.engine === 'none' ? vscode.l10n.t('no isolation') : box.engine;
  return [vscode.l10n.t('Your box ({0}) is {1}.', engine, box.state), boxWords(box)]
    .filter((text) => text !== '')
    .join(' ');
}

/** That the box does not answer, or is not as a new one would be, and what becomes of it; empty when all is well. */
function boxWords(box: Connection['box']): string {
  if (box?.silentMs !== undefined) {
    return vscode.l10n.t(
      'Your box does not answer. It may be busy: what runs in it goes on, and what you type gets there. Restart Box ends it.',
    );
  }
  if (box?.outdated === undefined) return '';
  return box.outdated.includes('image')
    ? vscode.l10n.t('Your box runs an older image than new ones get, and is replaced when nothing holds it.')
    : vscode.l10n.t('Your box was made with older settings, and is replaced when nothing holds it.');
}
