import * as vscode from 'vscode';
import type { CommandId } from '../commandIds.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import type { Log } from '../outputLog.ts';
import type { LocalDocker } from '../platform.ts';
import { type CommandHandler, runGuarded } from '../registerCommands.ts';
import { ShareCommands } from '../terminals/shareCommands.ts';
import { TerminalLinks } from '../terminals/terminalLinks.ts';
import { ThreadTerminals } from '../terminals/threadTerminals.ts';
import { attachToContainer } from '../threadFolder/attachToContainer.ts';
import { registerBoxVersions } from '../threadFolder/boxConflictQuestion.ts';
import { openThreadFolder, welcomeToThreadFolder } from '../threadFolder/openThreadFolder.ts';
import { goToFileInThread, searchInThread } from '../threadFolder/searchInThread.ts';
import { ThreadFileSystem } from '../threadFolder/threadFileSystem.ts';
import { BoxCommands } from './boxCommands.ts';
import { OpenThreadTerminal } from './openThreadTerminal.ts';
import { ThreadCommands, threadNodeOf } from './threadCommands.ts';
import { ThreadsTree } from './threadsTree.ts';

export type ThreadCommandId = Extract<
  CommandId,
  | `spoon.${'thread' | 'threads' | 'session' | 'box'}.${string}`
  | 'spoon.openThreadTerminal'
  | 'spoon.openThreadTerminalToSide'
  | 'spoon.openSafeTerminal'
  | 'spoon.profileShellStartup'
>;

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly current: CurrentConnection;
  readonly docker: LocalDocker;
  readonly log: Log;
}

/** Everything about threads, their terminals, their folders and the box that they are in. */
export class ThreadParts implements vscode.Disposable {
  readonly terminals: ThreadTerminals;
  readonly commands: Readonly<Record<ThreadCommandId, CommandHandler>>;
  readonly #files: ThreadFileSystem;
  readonly #disposable: vscode.Disposable;

  constructor({ context, current, docker, log }: Surroundings) {
    this.terminals = new ThreadTerminals({
      current,
      state: context.workspaceState,
      log,
      openSafeTerminal: () => void vscode.commands.executeCommand('spoon.openSafeTerminal'),
    });
    this.#files = new ThreadFileSystem(current, log);
    const open = new OpenThreadTerminal({ current, terminals: this.terminals, state: context.globalState, log });
    const tree = new ThreadsTree(current);
    const threads = new ThreadCommands({ current, open, tree });
    const box = new BoxCommands(current);
    this.#disposable = vscode.Disposable.from(
      this.terminals,
      this.#files,
      tree,
      registerBoxVersions(current),
      welcomeToThreadFolder(current, context.globalState),
      current.onDidChange((connection) => {
        setContext('spoon.box', 'unknown');
        connection?.onDidChangeBox(({ state }) => setContext('spoon.box', state));
      }),
      vscode.window.registerTerminalLinkProvider(new TerminalLinks(current, this.terminals)),
      vscode.window.registerTerminalProfileProvider('spoon.thread', {
        provideTerminalProfile: () => runGuarded(() => open.profile(), 'new terminal', log),
      }),
    );
    const shares = new ShareCommands(current, this.terminals);
    const withThread =
      (title: string, work: (...args: Parameters<typeof openThreadFolder>) => Promise<void>): CommandHandler =>
      async (node) => {
        const thread = await threads.thread(threadNodeOf(node), title);
        if (thread !== undefined) await work(current.require(), thread);
      };
    const attach = withThread(vscode.l10n.t('Attach to Container'), (connection, thread) =>
      attachToContainer(connection, docker, thread),
    );
    this.commands = {
      'spoon.openThreadTerminal': (node) => threads.openTerminal(threadNodeOf(node)),
      'spoon.openThreadTerminalToSide': (node) => threads.openTerminal(threadNodeOf(node), 'editor'),
      'spoon.openSafeTerminal': () => open.openSafe(),
      'spoon.profileShellStartup': () => threads.profileStartup(),
      'spoon.thread.new': (node) => threads.create(threadNodeOf(node)),
      'spoon.thread.browse': withThread(vscode.l10n.t('Open Thread Folder'), openThreadFolder),
      'spoon.thread.attachContainer': (node) =>
        threadNodeOf(node)?.kind === 'box' ? attachToContainer(threads.reachable(), docker) : attach(node),
      'spoon.thread.search': withThread(vscode.l10n.t('Search in Thread'), searchInThread),
      'spoon.thread.goToFile': withThread(vscode.l10n.t('Go to File in Thread'), goToFileInThread),
      'spoon.thread.update': (node) => threads.update(threadNodeOf(node)),
      'spoon.thread.delete': (node) => threads.delete(threadNodeOf(node)),
      'spoon.thread.copyPath': (node) => threads.copyPath(threadNodeOf(node)),
      'spoon.threads.refresh': () => threads.refresh(),
      'spoon.session.attach': (node) => threads.attach(threadNodeOf(node)),
      'spoon.session.end': (node) => threads.end(threadNodeOf(node)),
      'spoon.session.share': (node) => shares.share(threadNodeOf(node)),
      'spoon.session.openShared': () => shares.open(),
      'spoon.session.stopSharing': () => shares.stop(),
      'spoon.box.start': () => box.start(),
      'spoon.box.stop': () => box.stop(),
      'spoon.box.restart': () => box.restart(),
      'spoon.box.keep': () => box.keep(),
      'spoon.box.usage': () => box.usage(),
      'spoon.box.why': () => box.why(),
    };
  }

  /** The machine woke up. */
  renew(): void {
    this.terminals.renew();
    this.#files.renew();
  }

  dispose(): void {
    this.#disposable.dispose();
  }
}
