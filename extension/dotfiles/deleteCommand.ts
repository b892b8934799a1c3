import * as vscode from 'vscode';
import type { RemovedDotfile } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { parseHomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { nameOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';
import { outermost } from './dropPlan.ts';
import { tabsOf } from './editCommands.ts';
import { inParallel } from './inParallel.ts';
import { shortList } from './upload.ts';

const atOnce = 4;

/** Delete without a question, because it can be taken back: with its history, for as long as the service keeps it. */
export class DeleteCommand {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;
  readonly #log: Log;

  constructor(current: CurrentConnection, tree: DotfilesTree, log: Log) {
    this.#current = current;
    this.#tree = tree;
    this.#log = log;
  }

  async run(nodes: readonly DotfileNode[]): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const paths = outermost(nodes.map(({ path }) => path));
    if (paths.length === 0) return;
    const removed: RemovedDotfile[] = [];
    try {
      for (const path of paths) removed.push(...(await removeOne(connection, path)));
    } finally {
      // Also of what went before one that failed.
      if (removed.length > 0) this.#offerUndo(connection, paths, removed);
    }
  }

  #offerUndo(connection: Connection, paths: readonly string[], removed: readonly RemovedDotfile[]): void {
    const undo = vscode.l10n.t('Undo');
    const [only] = paths;
    const message =
      paths.length === 1 && only !== undefined
        ? vscode.l10n.t('{0} was deleted.', nameOf(only))
        : vscode.l10n.t('{0} items were deleted.', paths.length);
    void vscode.window.showInformationMessage(message, undo).then((answer) => {
      if (answer === undo) return runGuarded(() => this.#undo(connection, removed), 'undo delete', this.#log);
      return undefined;
    });
  }

  async #undo({ dotfiles }: Connection, removed: readonly RemovedDotfile[]): Promise<void> {
    const inTheWay: string[] = [];
    await vscode.window.withProgress({ location: { viewId: 'spoon.dotfiles' } }, () =>
      inParallel(removed, atOnce, async ({ id, path }) => {
        try {
          await dotfiles.restore({ id });
        } catch (error) {
          if (!(error instanceof SpoonError) || error.code !== 'file-exists') throw error;
          inTheWay.push(path);
        }
      }),
    );
    const [first] = removed;
    if (first !== undefined) await this.#tree.reveal(first.path, { focus: true });
    if (inTheWay.length > 0) {
      const list = shortList(inTheWay);
      void vscode.window.showWarningMessage(
        vscode.l10n.t('Not brought back, because there is something new of that name: {0}', list),
      );
    }
  }
}

async function removeOne({ dotfiles, session }: Connection, path: string): Promise<readonly RemovedDotfile[]> {
  const isFolder = dotfiles.entry(path)?.kind === 'directory';
  const tabs = tabsOf(dotfileUri(accountOf(session), path));
  const removed = await dotfiles.remove(parseHomePath(path), { recursive: isFolder });
  // As the Explorer does it; what is not saved stays open.
  await vscode.window.tabGroups.close(tabs.filter(({ isDirty }) => !isDirty));
  return removed;
}
