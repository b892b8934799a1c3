import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { details, moodOf, type RepositoryMood, repositoryName, summary } from './repositoryText.ts';

const icons: Readonly<Record<RepositoryMood, readonly [icon: string, color?: string]>> = {
  off: ['circle-slash'],
  waiting: ['repo'],
  running: ['sync~spin'],
  ok: ['pass', 'testing.iconPassed'],
  update: ['cloud-download', 'charts.blue'],
  failed: ['error', 'list.errorForeground'],
  cancelled: ['circle-slash', 'list.warningForeground'],
};

/** The first row of the Dotfiles tree; undefined where no repository is chosen. */
export function repositoryRow(current: CurrentConnection): vscode.TreeItem | undefined {
  const connection = current.connection;
  const state = connection?.repository.state;
  if (connection === undefined || state === undefined || state.settings === null) return undefined;
  const isOff = !connection.dotfilesSwitch.state.on;
  const mood = isOff ? 'off' : moodOf(state);
  const [icon, color] = icons[mood];
  const item = new vscode.TreeItem(repositoryName(state.settings.url));
  item.id = `repository/${connection.session.url}`;
  item.description = isOff ? vscode.l10n.t('off, as all dotfiles') : summary(state, Date.now());
  item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
  item.contextValue = `repository ${mood}`;
  item.tooltip = details(state).join('\n');
  item.command = { command: 'spoon.repository.showLog', title: vscode.l10n.t('Show Log') };
  item.accessibilityInformation = {
    label: vscode.l10n.t('Dotfiles repository {0}, {1}', String(item.label), item.description),
  };
  return item;
}
