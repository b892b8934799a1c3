import * as vscode from 'vscode';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import type { LocalDocker } from '../platform.ts';
import { ensureBox } from '../threads/boxCommands.ts';
import { planAttach } from './attachedContainer.ts';
import { openThreadFolder, requireCheckout } from './openThreadFolder.ts';

const devContainersId = 'ms-vscode-remote.remote-containers';

/**
 * *Attach to Container*: the thread's folder, or the home, in a window whose extensions run in the box itself. Where that
 * cannot be it says why, and offers *Open Thread Folder*, which always can.
 */
export async function attachToContainer(connection: Connection, docker: LocalDocker, thread?: Thread): Promise<void> {
  await ensureBox(connection);
  if (thread !== undefined) await requireCheckout(connection, thread);
  const plan = await planAttach(connection.api, {
    isLocalWindow: vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop,
    docker,
    program: dockerProgram(),
  });
  if ('missing' in plan) return await offerFolder(plan.missing, connection, thread);
  if (vscode.extensions.getExtension(devContainersId) === undefined && !(await installDevContainers())) return;
  const path = ['', 'home', connection.session.username, ...(thread === undefined ? [] : [thread.folder])].join('/');
  const uri = vscode.Uri.from({ scheme: 'vscode-remote', authority: plan.authority, path });
  await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: true });
}

/** As Dev Containers takes it, but never from a workspace, which could name any program. */
function dockerProgram(): string {
  const value = vscode.workspace.getConfiguration().inspect('dev.containers.dockerPath')?.globalValue;
  return typeof value === 'string' && value !== '' ? value : 'docker';
}

async function offerFolder(why: string, connection: Connection, thread: Thread | undefined): Promise<void> {
  const open = vscode.l10n.t('Open Thread Folder');
  if ((await vscode.window.showWarningMessage(why, open)) !== open) return;
  if (thread === undefined) await vscode.commands.executeCommand('spoon.thread.browse');
  else await openThreadFolder(connection, thread);
}

async function installDevContainers(): Promise<boolean> {
  const install = vscode.l10n.t('Install Dev Containers');
  const text = vscode.l10n.t('Attach to Container works through the extension Dev Containers, which is not installed.');
  if ((await vscode.window.showWarningMessage(text, install)) !== install) return false;
  const title = vscode.l10n.t('Installing Dev Containers…');
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, () =>
    vscode.commands.executeCommand('workbench.extensions.installExtension', devContainersId),
  );
  return true;
}
