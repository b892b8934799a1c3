import * as vscode from 'vscode';
import type { SwitchedDotfiles } from '../../protocol/dotfilesSwitch.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';

/** So many names are read in a message; the rest is in the tree. */
const shownNames = 5;

/** All dotfiles off, after a question that says what becomes of the home. */
export async function turnOff(current: CurrentConnection): Promise<void> {
  const connection = current.require();
  const yes = vscode.l10n.t('Turn Off');
  const question = vscode.l10n.t('Turn all dotfiles off?');
  const detail = vscode.l10n.t(
    'What Spoon wrote is taken out of your home, and what it displaced is put back; the repository too. What you changed by hand there stays. Everything stays in Spoon, and is applied again when you turn dotfiles on.',
  );
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, yes)) !== yes) return;
  const title = vscode.l10n.t('Turning dotfiles off…');
  const switched = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    connection.dotfilesSwitch.set(false),
  );
  const on = vscode.l10n.t('Turn On');
  if ((await vscode.window.showInformationMessage(asPlainText(offText(switched)), on)) === on) await turnOn(current);
}

export async function turnOn(current: CurrentConnection): Promise<void> {
  const connection = current.require();
  const title = vscode.l10n.t('Turning dotfiles on…');
  const { applied } = await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    connection.dotfilesSwitch.set(true),
  );
  const text = applied
    ? vscode.l10n.t('Dotfiles are on, and in your home.')
    : vscode.l10n.t('Dotfiles are on. Your box is off and gets them at its next start.');
  void vscode.window.showInformationMessage(text);
}

function offText({ applied, setup, takenOut }: SwitchedDotfiles): string {
  const ended = setup === 'cancelled' ? `${vscode.l10n.t('The setup that was under way has been cancelled.')} ` : '';
  if (!applied || takenOut === undefined) {
    return ended + vscode.l10n.t('Dotfiles are off. Your box is off too: its home is given back at its next start.');
  }
  const { removed, restored, kept } = takenOut;
  const count =
    removed === 1
      ? vscode.l10n.t('1 was taken out of your home')
      : vscode.l10n.t('{0} were taken out of your home', removed);
  const back = restored === 0 ? '' : `, ${vscode.l10n.t('{0} gave way to what was there before', restored)}`;
  const done = `${vscode.l10n.t('Dotfiles are off.')} ${count}${back}.`;
  if (kept.length === 0) return ended + done;
  const names = kept.slice(0, shownNames).join(', ') + (kept.length > shownNames ? ', …' : '');
  return `${ended}${done} ${vscode.l10n.t('Changed by hand, so still there: {0}', names)}`;
}
