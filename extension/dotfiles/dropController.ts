import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { nameOf } from './dotfileIndex.ts';
import type { DotfileNode } from './dotfilesTree.ts';
import { accountOf, dotfileScheme, dotfileUri } from './dotfileUri.ts';
import { planMove } from './dropPlan.ts';
import type { EditCommands } from './editCommands.ts';
import { folderOf, type TransferCommands } from './transferCommands.ts';
import { collectDropped, parseUriList } from './uploadSources.ts';

const treeType = 'application/vnd.code.tree.spoon.dotfiles';
const uriListType = 'text/uri-list';

/** Drag and drop: inside the tree it moves, from anywhere else it uploads. Everything here has a command too. */
export class DropController implements vscode.TreeDragAndDropController<DotfileNode> {
  readonly dragMimeTypes = [uriListType];
  readonly dropMimeTypes = [treeType, uriListType, 'files'];
  readonly #current: CurrentConnection;
  readonly #edit: EditCommands;
  readonly #transfer: TransferCommands;
  readonly #log: Log;

  constructor(current: CurrentConnection, edit: EditCommands, transfer: TransferCommands, log: Log) {
    this.#current = current;
    this.#edit = edit;
    this.#transfer = transfer;
    this.#log = log;
  }

  handleDrag(source: readonly DotfileNode[], items: vscode.DataTransfer): void {
    const connection = this.#current.connection;
    if (connection === undefined) return;
    const account = accountOf(connection.session);
    const uris = source.map(({ path }) => dotfileUri(account, path).toString());
    items.set(treeType, new vscode.DataTransferItem(source.map(({ path }) => path)));
    items.set(uriListType, new vscode.DataTransferItem(uris.join('\r\n')));
  }

  async handleDrop(target: DotfileNode | undefined, items: vscode.DataTransfer): Promise<void> {
    await runGuarded(() => this.#drop(target, items), 'drop', this.#log);
  }

  async #drop(target: DotfileNode | undefined, items: vscode.DataTransfer): Promise<void> {
    const connection = this.#current.require();
    const folder = folderOf(connection, target);
    const own: unknown = items.get(treeType)?.value;
    if (Array.isArray(own)) return await this.#move(own.map(String), folder);
    // First of all, because files in the drop can be read only now.
    const dropped = collectDropped(items);
    const uris = parseUriList((await items.get(uriListType)?.asString()) ?? '');
    const ours = uris.filter((uri) => uri.scheme === dotfileScheme && uri.authority === accountOf(connection.session));
    if (ours.length > 0)
      return await this.#move(
        ours.map(({ path }) => path.slice(1)),
        folder,
      );
    if (uris.length > 0) return await this.#transfer.uploadUris(uris, folder);
    await this.#transfer.uploadCollected(await dropped, folder);
  }

  async #move(paths: readonly string[], folder: string): Promise<void> {
    const { dotfiles } = this.#current.require();
    const { moves, refused } = planMove(paths, folder);
    const [firstRefused] = refused;
    if (firstRefused !== undefined) void vscode.window.showWarningMessage(firstRefused.why);
    const taken = moves.filter(({ to }) => dotfiles.entry(to) !== undefined);
    if (taken.length > 0) {
      const replace = vscode.l10n.t('Replace');
      const names = taken.map(({ to }) => nameOf(to)).join(', ');
      const answer = await vscode.window.showWarningMessage(
        vscode.l10n.t('{0} is there already. Replace it?', names),
        { modal: true },
        replace,
      );
      if (answer !== replace) return;
    }
    await this.#edit.move(moves, taken.length > 0);
  }
}
