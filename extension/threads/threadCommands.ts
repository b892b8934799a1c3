import * as vscode from 'vscode';
import type { Terminal } from '../../protocol/terminals.ts';
import type { Thread } from '../../protocol/threads.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { asPlainText } from '../failure.ts';
import { profileShellStartup } from '../terminals/profileStartup.ts';
import { deleteCheckout } from './deleteCheckout.ts';
import { threadName } from './homeThreads.ts';
import { askForThread, makeThread } from './newThread.ts';
import type { OpenThreadTerminal } from './openThreadTerminal.ts';
import { pickThread, threadInView } from './threadPicker.ts';
import type { ThreadNode, ThreadsTree } from './threadsTree.ts';
import { updateInWords } from './threadWords.ts';

const updateTimeoutMs = 30 * 60_000;

/** The commands of the Threads view; without a node they ask which thread is meant. */
export class ThreadCommands {
  readonly #current: CurrentConnection;
  readonly #open: OpenThreadTerminal;
  readonly #tree: ThreadsTree;

  constructor(parts: { current: CurrentConnection; open: OpenThreadTerminal; tree: ThreadsTree }) {
    this.#current = parts.current;
    this.#open = parts.open;
    this.#tree = parts.tree;
  }

  async create(node?: ThreadNode): Promise<void> {
    const connection = this.reachable();
    const wanted = await askForThread(connection, node?.kind === 'spoon' ? { spoon: node.name } : {});
    if (wanted === undefined) return;
    const { thread } = await makeThread(connection, wanted);
    await this.#open.inThread(thread);
  }

  async openTerminal(node: ThreadNode | undefined, location?: 'panel' | 'editor'): Promise<void> {
    const thread = this.#threadOf(this.reachable(), node);
    if (thread === undefined) await this.#open.run(location);
    else await this.#open.inThread(thread, location);
  }

  /** Fetches, and goes forward where that needs no decision. */
  async update(node?: ThreadNode): Promise<void> {
    const thread = await this.thread(node, vscode.l10n.t('Update Thread'));
    if (thread === undefined) return;
    const { api, threads } = this.reachable();
    const name = threadName(thread);
    const { update } = await vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: vscode.l10n.t('Updating {0}…', name),
        cancellable: true,
      },
      async (_, cancelled) => {
        const abort = new AbortController();
        cancelled.onCancellationRequested(() => abort.abort(new vscode.CancellationError()));
        const call = { params: { id: thread.id }, signal: abort.signal, timeoutMs: updateTimeoutMs };
        return await api.call('updateThread', call);
      },
    );
    threads.refreshSoon();
    const text = `${name}: ${updateInWords(update)}`;
    const isDone = update.result === 'up-to-date' || update.result === 'fast-forwarded';
    if (isDone) vscode.window.setStatusBarMessage(text, 5000);
    else void vscode.window.showWarningMessage(asPlainText([text, update.detail].filter(Boolean).join(' ')));
  }

  async delete(node?: ThreadNode): Promise<void> {
    const thread = await this.thread(node, vscode.l10n.t('Delete Checkout'));
    if (thread !== undefined) await deleteCheckout(this.reachable(), thread);
  }

  async copyPath(node?: ThreadNode): Promise<void> {
    const thread = await this.thread(node, vscode.l10n.t('Copy Thread Path'));
    if (thread === undefined) return;
    await vscode.env.clipboard.writeText(`~/${thread.folder}`);
    vscode.window.setStatusBarMessage(vscode.l10n.t('Copied ~/{0}', thread.folder), 3000);
  }

  attach(node?: ThreadNode): void {
    const terminal = this.#sessionOf(this.reachable(), node);
    if (terminal !== undefined) this.#open.attach(terminal);
  }

  /** Ends the shell and all that it started; asks when something works in it. */
  async end(node?: ThreadNode): Promise<void> {
    const connection = this.reachable();
    const terminal = this.#sessionOf(connection, node);
    if (terminal === undefined) return;
    if (terminal.busy) {
      const end = vscode.l10n.t('End Session');
      const detail = [asPlainText(terminal.title), asPlainText(terminal.lastLine)].filter(Boolean).join('\n');
      const question = vscode.l10n.t('Something runs in this terminal. End it?');
      if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, end)) !== end) return;
    }
    await connection.api.call('closeTerminal', { params: { id: terminal.id } });
    await connection.threads.refresh();
  }

  async profileStartup(): Promise<void> {
    await profileShellStartup(this.reachable());
  }

  async refresh(): Promise<void> {
    await this.#current.require().threads.refresh();
    this.#tree.refresh();
  }

  /** Of the node, of what the window shows, or the one that is picked. */
  async thread(node: ThreadNode | undefined, title: string): Promise<Thread | undefined> {
    const connection = this.reachable();
    return this.#threadOf(connection, node) ?? threadInView(connection) ?? (await pickThread(connection, title));
  }

  #threadOf({ threads }: Connection, node: ThreadNode | undefined): Thread | undefined {
    return node?.kind === 'thread' ? threads.threads.find(({ id }) => id === node.id) : undefined;
  }

  #sessionOf({ threads }: Connection, node: ThreadNode | undefined): Terminal | undefined {
    const chosen = node ?? this.#tree.selection;
    return chosen?.kind === 'session' ? threads.terminals.find(({ id }) => id === chosen.id) : undefined;
  }

  /** @throws SpoonError where nobody is signed in, or the service is away */
  reachable(): Connection {
    const connection = this.#current.require();
    connection.requireReachable();
    return connection;
  }
}

export function threadNodeOf(argument: unknown): ThreadNode | undefined {
  const kinds = ['box', 'holder', 'spoon', 'thread', 'home', 'session'];
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument;
  return isNode && kinds.includes(String(argument.kind)) ? (argument as ThreadNode) : undefined;
}
