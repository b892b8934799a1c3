import * as vscode from 'vscode';
import type { DotfileContent } from '../../client/dotfilesApi.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { nameOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';
import { outermost } from './dropPlan.ts';
import { openEditors } from './editCommands.ts';

/** More than this is not kept for "Undo": the person is asked before instead. */
const maxUndoBytes = 64 * 1024 * 1024;

interface Kept {
  readonly path: HomePath;
  readonly content: DotfileContent;
}

/** Delete without a question, because it can be taken back; focus stays in the tree. */
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
    const affected = paths.flatMap((path) => connection.dotfiles.below(path));
    const canUndo = affected.reduce((sum, { size }) => sum + size, 0) <= maxUndoBytes;
    if (!canUndo && !(await confirmForGood(paths, affected.length))) return;
    const kept = canUndo
      ? await this.#keep(
          connection,
          affected.map(({ path }) => path as HomePath),
        )
      : [];
    for (const path of paths) await removeOne(connection, path);
    if (canUndo) this.#offerUndo(connection, paths, kept);
  }

  async #keep(connection: Connection, paths: readonly HomePath[]): Promise<Kept[]> {
    return await vscode.window.withProgress({ location: { viewId: 'spoon.dotfiles' } }, async () => {
      const kept: Kept[] = [];
      // A few at a time: quick for a folder of many, and still polite to the service.
      for (let start = 0; start < paths.length; start += 8) {
        const some = paths.slice(start, start + 8);
        kept.push(
          ...(await Promise.all(some.map(async (path) => ({ path, content: await connection.dotfiles.read(path) })))),
        );
      }
      return kept;
    });
  }

  #offerUndo(connection: Connection, paths: readonly string[], kept: readonly Kept[]): void {
    const undo = vscode.l10n.t('Undo');
    const [only] = paths;
    const message =
      paths.length === 1 && only !== undefined
        ? vscode.l10n.t('{0} was deleted.', nameOf(only))
        : vscode.l10n.t('{0} items were deleted.', paths.length);
    void vscode.window.showInformationMessage(message, undo).then((answer) => {
      if (answer === undo) return runGuarded(() => this.#undo(connection, kept), 'undo delete', this.#log);
      return undefined;
    });
  }

  async #undo({ dotfiles }: Connection, kept: readonly Kept[]): Promise<void> {
    const inTheWay: string[] = [];
    for (const { path, content } of kept) {
      try {
        await dotfiles.save(path, content.bytes, { base: 'create', kind: content.kind, mode: content.mode });
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'file-exists') throw error;
        inTheWay.push(path);
      }
    }
    const [first] = kept;
    if (first !== undefined) await this.#tree.reveal(first.path, { focus: true });
    if (inTheWay.length > 0) {
      void vscode.window.showWarningMessage(
        vscode.l10n.t('Not brought back, because there is a new file of that name: {0}', inTheWay.join(', ')),
      );
    }
  }
}

/** Through VS Code where it is open in an editor, so that the tab goes too. */
async function removeOne(connection: Connection, path: string): Promise<void> {
  const uri = dotfileUri(accountOf(connection.session), path);
  if (openEditors(uri) > 0) {
    const edit = new vscode.WorkspaceEdit();
    edit.deleteFile(uri, { recursive: true });
    await vscode.workspace.applyEdit(edit);
    if (connection.dotfiles.entry(path) === undefined) return;
  }
  const isFolder = connection.dotfiles.entry(path)?.kind === 'directory';
  await connection.dotfiles.remove(parseHomePath(path), { recursive: isFolder });
}

async function confirmForGood(paths: readonly string[], files: number): Promise<boolean> {
  const goOn = vscode.l10n.t('Delete');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('Delete {0} files for good?', files),
    { modal: true, detail: vscode.l10n.t('{0}\nThis is too much to be kept for Undo.', paths.join('\n')) },
    goOn,
  );
  return answer === goOn;
}
