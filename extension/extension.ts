import * as vscode from 'vscode';
import { AdminParts } from './admin/adminParts.ts';
import { AdminTokens } from './admin/adminTokens.ts';
import { SpoonAuthenticationProvider } from './auth/authenticationProvider.ts';
import { AwaitedCodes } from './auth/awaitedCodes.ts';
import { type Session, Sessions } from './auth/sessions.ts';
import { signIn, signInWith } from './auth/signIn.ts';
import { signOut } from './auth/signOut.ts';
import { switchService } from './auth/switchService.ts';
import { registerUriHandler } from './auth/uriHandler.ts';
import { CurrentConnection } from './connection/currentConnection.ts';
import { wakeOnClockJump } from './connection/wake.ts';
import { setContext } from './contextKeys.ts';
import { DeleteCommand } from './dotfiles/deleteCommand.ts';
import { DotfileClipboard } from './dotfiles/dotfileClipboard.ts';
import { dotfileCommands } from './dotfiles/dotfileCommands.ts';
import { DotfileDecorations } from './dotfiles/dotfileDecorations.ts';
import { DotfilesFileSystem } from './dotfiles/dotfilesFileSystem.ts';
import { DotfilesTree } from './dotfiles/dotfilesTree.ts';
import { DownloadCommand } from './dotfiles/downloadCommand.ts';
import { DriftCommands } from './dotfiles/driftCommands.ts';
import { DropController } from './dotfiles/dropController.ts';
import { EditCommands } from './dotfiles/editCommands.ts';
import { EditorMoves } from './dotfiles/editorMoves.ts';
import { HistoryCommands } from './dotfiles/historyCommands.ts';
import { registerKeyCommand } from './dotfiles/keyCommand.ts';
import { SecretNudge } from './dotfiles/secretNudge.ts';
import { UploadCommands } from './dotfiles/uploadCommands.ts';
import { UploadReports } from './dotfiles/uploadReport.ts';
import { VersionFiles } from './dotfiles/versionFiles.ts';
import { failureText } from './failure.ts';
import { JobParts } from './jobs/jobParts.ts';
import { networkOf } from './network.ts';
import { createLog } from './outputLog.ts';
import type { Platform } from './platform.ts';
import { registerCommands, runGuarded } from './registerCommands.ts';
import { RepositoryParts } from './repository/repositoryParts.ts';
import { SealKeySecrets } from './secrets/sealKeySecrets.ts';
import { SecretParts } from './secrets/secretParts.ts';
import { type SecretToStore, SecretWriter } from './secrets/secretWriter.ts';
import { ConnectionStatus, showStatusMenu } from './status/connectionStatus.ts';
import { diagnosticsText } from './status/diagnostics.ts';
import type { ThreadTerminals } from './terminals/threadTerminals.ts';
import { isThreadUri } from './threadFolder/threadUri.ts';
import { ThreadParts } from './threads/threadParts.ts';

/** For the suite that runs inside the extension host; undefined elsewhere. */
export interface TestView {
  readonly current: CurrentConnection;
  readonly sessions: Sessions;
  readonly accounts: SpoonAuthenticationProvider;
  readonly adminTokens: AdminTokens;
  readonly tree: DotfilesTree;
  readonly drops: DropController;
  readonly edit: EditCommands;
  readonly activationMs: number;
  storeSecret(secret: SecretToStore): Promise<unknown>;
  signInWith(handed: { url: string; token: string }): Promise<Session>;
}

/** Makes every part and hands each what it needs. Awaits no network: VS Code waits for this. */
export function activateExtension(context: vscode.ExtensionContext, platform: Platform): TestView | undefined {
  const startedMs = performance.now();
  const log = createLog();
  const network = networkOf(platform, log);
  const sessions = new Sessions(context.secrets);
  const current = new CurrentConnection({ sessions, network, log });
  const codes = new AwaitedCodes();
  const signingIn = { sessions, network, codes };
  const adminTokens = new AdminTokens(context.secrets);
  const signingOut = { sessions, current, network, adminTokens };
  const accounts = new SpoonAuthenticationProvider(sessions, {
    signIn: () => signIn(signingIn),
    signOut: (session) => signOut(signingOut, session),
  });
  const tree = new DotfilesTree(current);
  const moves = new EditorMoves();
  const edit = new EditCommands(current, tree, moves);
  const reports = new UploadReports();
  const nudge = new SecretNudge(log);
  const uploads = new UploadCommands({ current, tree, reports, nudge, disk: platform.disk, log });
  const downloads = new DownloadCommand(current, platform.disk);
  const drift = new DriftCommands(current, log);
  const history = new HistoryCommands(current, tree, log);
  const clipboard = new DotfileClipboard(current, tree, edit);
  const remove = new DeleteCommand(current, tree, log);
  const threads = new ThreadParts({ context, current, docker: platform.docker, log });

  const jobs = new JobParts({ current, log });
  const admin = new AdminParts({ current, tokens: adminTokens, codes, log });
  const secretWriter = new SecretWriter(new SealKeySecrets(context.secrets));
  const repository = new RepositoryParts(current, tree, secretWriter);
  const secrets = new SecretParts({ current, platform, log, writer: secretWriter });

  context.subscriptions.push(
    log,
    repository,
    secrets,
    jobs,
    admin,
    sessions,
    current,
    tree,
    threads,
    accounts,
    new DotfilesFileSystem(current, nudge, moves),
    reports,
    clipboard,
    history,
    drift,
    new DotfileDecorations(current, clipboard),
    new ConnectionStatus(current),
    new VersionFiles(current),
    registerUriHandler((url) => runGuarded(() => signIn(signingIn, url), 'sign in from a link', log), codes, log),
    wakeOnClockJump(() => {
      current.connection?.renew();
      threads.renew();
      jobs.renew();
    }),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      // Somebody is back: not the moment to wait for the next try.
      if (focused && current.state.name === 'offline') current.connection?.reconnect();
    }),
    current.onDidRefuse(({ session, error }) => {
      const { host } = new URL(session.url);
      const button = vscode.l10n.t('Sign In');
      const text = vscode.l10n.t(
        'You are signed out of {0}: {1} Open editors keep your changes.',
        host,
        failureText(error),
      );
      void vscode.window.showWarningMessage(text, button).then((answer) => {
        if (answer === button) return runGuarded(() => signIn(signingIn, session.url), 'sign in again', log);
        return undefined;
      });
    }),
    current.onDidChange((connection) => {
      if (connection !== undefined) void restoreWhenConnected(connection, threads.terminals);
    }),
    registerKeyCommand(tree),
    registerCommands(
      {
        'spoon.signIn': () => signIn(signingIn),
        'spoon.signOut': () => signOut(signingOut, current.require().session),
        'spoon.switchService': () => switchService(sessions, () => signIn(signingIn, '')),
        'spoon.reconnect': () => current.require().reconnect(),
        'spoon.showStatus': () => showStatusMenu(current),
        ...threads.commands,
        ...dotfileCommands({ current, tree, edit, uploads, downloads, remove, clipboard, history, drift }),
        ...repository.commands,
        ...secrets.commands,
        ...jobs.commands,
        ...admin.commands,
        'spoon.showLog': () => log.show(),
        'spoon.copyDiagnostics': () => copyDiagnostics(current, context),
        'spoon.openSettings': () =>
          vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${context.extension.id}`),
        'spoon.openWalkthrough': () => openWalkthrough(context, current),
      },
      log,
    ),
  );
  const drops = new DropController(current, edit, uploads, log);
  tree.open(drops);
  // The secret store answers late while a window starts; nothing here waits for it.
  current.settled = current.ready.then(() => {
    setContext('spoon.ready', true);
    return takeHandedSignIn();
  });
  const activationMs = performance.now() - startedMs;
  log.info(`active after ${activationMs.toFixed(1)} ms`);
  if (context.extensionMode !== vscode.ExtensionMode.Test) return undefined;
  return {
    current,
    sessions,
    accounts,
    adminTokens,
    tree,
    drops,
    edit,
    activationMs,
    storeSecret: (secret) => secretWriter.store(current.require(), secret),
    signInWith: (handed) => signInWith(signingIn, handed),
  };

  async function takeHandedSignIn(): Promise<void> {
    await runGuarded(
      async () => {
        const handed = await platform.handedSignIn();
        if (handed === undefined || current.connection !== undefined) return;
        // Whoever is brought here for the first time sees what it is about. First of all: later it would take the focus
        // away from what somebody has begun, and close the list that they choose from.
        if (!vscode.workspace.workspaceFolders?.some(({ uri }) => isThreadUri(uri))) {
          await vscode.commands.executeCommand('spoon.dotfiles.focus');
        }
        await signInWith(signingIn, handed);
        await current.follow();
      },
      'sign-in that was handed over',
      log,
    );
  }
}

async function restoreWhenConnected(
  connection: NonNullable<CurrentConnection['connection']>,
  terminals: ThreadTerminals,
): Promise<void> {
  if (connection.state.name !== 'connected') {
    await new Promise<void>((resolve) => {
      const subscription = connection.onDidChangeState(({ name }) => {
        if (name !== 'connected') return;
        subscription.dispose();
        resolve();
      });
    });
  }
  await terminals.restore();
}

async function openWalkthrough(context: vscode.ExtensionContext, { connection }: CurrentConnection): Promise<void> {
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${context.extension.id}#start`, false);
  setContext('spoon.step.signedIn', connection !== undefined);
  setContext('spoon.step.hasFiles', (connection?.dotfiles.count ?? 0) > 0);
}

async function copyDiagnostics(current: CurrentConnection, context: vscode.ExtensionContext): Promise<void> {
  const { version } = context.extension.packageJSON as { version: string };
  await vscode.env.clipboard.writeText(diagnosticsText(current, version));
  vscode.window.setStatusBarMessage(vscode.l10n.t('Spoon diagnostics copied'), 3000);
}
