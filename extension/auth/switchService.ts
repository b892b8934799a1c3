import * as vscode from 'vscode';
import type { Session, Sessions } from './sessions.ts';

interface Choice extends vscode.QuickPickItem {
  readonly session?: Session;
}

/** Another of the services that somebody is signed in to, or a further one. */
export async function switchService(sessions: Sessions, add: () => Promise<unknown>): Promise<void> {
  const current = await sessions.current();
  const choices: Choice[] = (await sessions.list()).map((session) => ({
    label: new URL(session.url).host,
    description: session.displayName,
    iconPath: new vscode.ThemeIcon(session.url === current?.url ? 'check' : 'server'),
    session,
  }));
  choices.push({ label: '', kind: vscode.QuickPickItemKind.Separator });
  choices.push({ label: vscode.l10n.t('Sign In to Another Service…'), iconPath: new vscode.ThemeIcon('add') });
  const picked = await vscode.window.showQuickPick(choices, { title: vscode.l10n.t('Switch Service') });
  if (picked === undefined) return;
  if (picked.session === undefined) await add();
  else await sessions.select(picked.session.url);
}
