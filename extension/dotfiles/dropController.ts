import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { setting } from '../settings.ts';
import type { DotfileNode } from './dotfilesTree.ts';
import { accountOf, dotfileScheme, dotfileUri, pathOf } from './dotfileUri.ts';
import type { EditCommands } from './editCommands.ts';
import { folderOf, type UploadCommands } from './uploadCommands.ts';
import { collectDropped, parseUriList } from './uploadSources.ts';

const treeType = 'application/vnd.code.tree.spoon.dotfiles';
const uriListType = 'text/uri-list';

/** Drag and drop: inside the tree it moves, from anywhere else it uploads. Everything here has a command too. */
export class DropController implements vscode.TreeDragAndDropController<DotfileNode> {
  readonly dragMimeTypes = [uriListType];
  readonly dropMimeTypes = [treeType, uriListType, 'files'];
  readonly #current: CurrentConnection;
  readonly #edit: EditCommands;
  readonly #uploads: UploadCommands;
  readonly #log: Log;

  constructor(current: CurrentConnection, edit: EditCommands, uploads: UploadCommands, log: Log) {
    this.#current = current;
    this.#edit = edit;
    this.#uploads = uploads;
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
    if (Array.isArray(own)) return await this.#edit.moveInto(own.map(String), folder);
    // First of all, because files in the drop can be read only now.
    const dropped = collectDropped(items, setting('dotfiles.exclude'));
    const uris = parseUriList((await items.get(uriListType)?.asString()) ?? '');
    const ours = uris.filter((uri) => uri.scheme === dotfileScheme && uri.authority === accountOf(connection.session));
    if (ours.length > 0)
      return await this.#edit.moveInto(
        ours.map((uri) => pathOf(uri)),
        folder,
      );
    if (uris.length > 0) return await this.#uploads.uploadUris(uris, folder);
    await this.#uploads.uploadCollected(await dropped, folder);
  }
}
