import * as vscode from 'vscode';
import { parseHomePath, repairHomePath } from '../../protocol/homePath.ts';
import type { Layer, LayerName } from '../../protocol/layers.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText, failureText } from '../failure.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';
import type { DriftCommands } from './driftCommands.ts';

interface LayerItem extends vscode.QuickPickItem {
  readonly layer: LayerName;
}

const names: Readonly<Record<LayerName, string>> = {
  image: vscode.l10n.t('Image of the box'),
  spoon: vscode.l10n.t('Spoon, for a new home'),
  repository: vscode.l10n.t('Dotfiles repository'),
  setup: vscode.l10n.t('Setup script'),
  overlay: vscode.l10n.t('Overlay: these dotfiles'),
  hand: vscode.l10n.t('By hand, in the box'),
};

/** *Why Is This File Like This…*: who made a file of the home, and who lost against it. Of any file, stored or not. */
export async function showLayers(
  current: CurrentConnection,
  drift: DriftCommands,
  chosen: string | undefined,
): Promise<void> {
  const connection = current.require();
  connection.requireReachable();
  const { dotfiles, session } = connection;
  const path = chosen ?? (await askPath(session.username));
  if (path === undefined) return;
  const { layers, watching } = await dotfiles.layers(parseHomePath(path));
  const picked = await vscode.window.showQuickPick(layers.map(layerItem), {
    title: vscode.l10n.t('Why ~/{0} Is Like This', path),
    placeHolder: placeHolder(layers.length, watching),
  });
  if (picked?.layer === 'hand') await drift.compare(path);
  else if (picked?.layer === 'overlay' && dotfiles.entry(path) !== undefined) {
    await vscode.commands.executeCommand('vscode.open', dotfileUri(accountOf(session), path));
  }
}

function placeHolder(count: number, watching: boolean): string {
  if (count === 0) return vscode.l10n.t('Nothing that Spoon knows of has made this file');
  return watching
    ? vscode.l10n.t('The first one made what is in the home; the others lost against it')
    : vscode.l10n.t('The box is off, so only what is stored is known');
}

function layerItem({ layer, wins, detail, version }: Layer): LayerItem {
  return {
    layer,
    label: names[layer],
    iconPath: new vscode.ThemeIcon(wins ? 'check' : 'circle-slash'),
    description: [wins ? vscode.l10n.t('wins') : '', version === undefined ? '' : vscode.l10n.t('version {0}', version)]
      .filter(Boolean)
      .join(', '),
    detail: asPlainText(detail),
  };
}

async function askPath(username: string): Promise<string | undefined> {
  const read = (text: string): string => parseHomePath(repairHomePath(text, username));
  const typed = await vscode.window.showInputBox({
    title: vscode.l10n.t('Why Is This File Like This'),
    prompt: vscode.l10n.t('Path of a file in your home, such as .bashrc'),
    validateInput: (text) => {
      try {
        read(text);
        return undefined;
      } catch (error) {
        return failureText(error);
      }
    },
  });
  return typed === undefined ? undefined : read(typed);
}

/** For a tooltip: who made what is in the home, where that is known. */
export function winnerText(layers: readonly Layer[]): string {
  const winner = layers.find(({ wins }) => wins);
  return winner === undefined ? '' : vscode.l10n.t('In the box: {0}', names[winner.layer]);
}
