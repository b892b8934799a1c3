import * as vscode from 'vscode';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import { setting } from '../settings.ts';
import { nameOf, parentOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { upload } from './upload.ts';
import { type Collected, collectUris } from './uploadSources.ts';

/** Upload and download: what crosses between the home and the disk in front of the person. */
export class TransferCommands {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;
  readonly #log: Log;

  constructor(current: CurrentConnection, tree: DotfilesTree, log: Log) {
    this.#current = current;
    this.#tree = tree;
    this.#log = log;
  }

  async uploadFiles(node?: DotfileNode): Promise<void> {
    await this.#chooseAndUpload(node, {
      title: vscode.l10n.t('Upload Dotfiles'),
      openLabel: vscode.l10n.t('Upload'),
      canSelectFiles: true,
      canSelectMany: true,
    });
  }

  /** A command of its own: on Windows and Linux one dialog cannot choose both files and folders. */
  async uploadFolder(node?: DotfileNode): Promise<void> {
    await this.#chooseAndUpload(node, {
      title: vscode.l10n.t('Upload a Folder of Dotfiles'),
      openLabel: vscode.l10n.t('Upload'),
      canSelectFiles: false,
      canSelectFolders: true,
      canSelectMany: true,
    });
  }

  async uploadUris(uris: readonly vscode.Uri[], folder: string): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Looking through what to upload'),
      cancellable: true,
    };
    const collected = await vscode.window.withProgress(options, (_, token) =>
      collectUris(uris, { exclude: setting('dotfiles.exclude'), token }),
    );
    await this.uploadCollected(collected, folder);
  }

  async uploadCollected(collected: Collected, folder: string): Promise<void> {
    const stored = await upload(this.#current.require(), folder, collected, this.#log);
    const [first] = stored;
    if (first !== undefined) await this.#tree.reveal(first, { focus: false });
  }

  async download(nodes: readonly DotfileNode[]): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const paths = (nodes.length > 0 ? nodes : this.#tree.selection).map(({ path }) => path);
    const [only] = paths;
    if (only === undefined) return;
    const isOneFile = paths.length === 1 && connection.dotfiles.entry(only)?.kind !== 'directory';
    await (isOneFile ? this.#downloadFile(connection, only) : this.#downloadMany(connection, paths));
  }

  async #chooseAndUpload(node: DotfileNode | undefined, options: vscode.OpenDialogOptions): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const folder = folderOf(connection, node);
    const chosen = await vscode.window.showOpenDialog(options);
    if (chosen !== undefined) await this.uploadUris(chosen, folder);
  }

  async #downloadFile(connection: Connection, path: string): Promise<void> {
    const target = await vscode.window.showSaveDialog({
      title: vscode.l10n.t('Download {0}', nameOf(path)),
      saveLabel: vscode.l10n.t('Download'),
      defaultUri: vscode.Uri.file(nameOf(path)),
    });
    if (target === undefined) return;
    const { bytes } = await connection.dotfiles.read(path as HomePath);
    await vscode.workspace.fs.writeFile(target, bytes);
  }

  async #downloadMany(connection: Connection, paths: readonly string[]): Promise<void> {
    const [target] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('Download Dotfiles into a Folder'),
        openLabel: vscode.l10n.t('Download Here'),
        canSelectFiles: false,
        canSelectFolders: true,
      })) ?? [];
    if (target === undefined) return;
    const files = paths.flatMap((path) =>
      connection.dotfiles.below(path).map((dotfile) => ({ dotfile, name: dotfile.path.slice(parentOf(path).length) })),
    );
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Downloading dotfiles'),
      cancellable: true,
    };
    const skipped = await vscode.window.withProgress(options, async (progress, token) => {
      const links: string[] = [];
      for (const { dotfile, name } of files) {
        if (token.isCancellationRequested) throw new vscode.CancellationError();
        progress.report({ message: dotfile.path, increment: 100 / files.length });
        const uri = vscode.Uri.joinPath(target, name);
        if (dotfile.kind === 'directory') await vscode.workspace.fs.createDirectory(uri);
        else if (dotfile.kind === 'symlink') links.push(dotfile.path);
        else await vscode.workspace.fs.writeFile(uri, (await connection.dotfiles.read(dotfile.path as HomePath)).bytes);
      }
      return links;
    });
    if (skipped.length > 0) {
      void vscode.window.showInformationMessage(
        vscode.l10n.t('Symbolic links were left out, because VS Code cannot make them: {0}', skipped.join(', ')),
      );
    }
  }
}

/** Where an upload goes: the folder itself, or the one that the file is in; the home where nothing was chosen. */
export function folderOf(connection: Connection, node: DotfileNode | undefined): string {
  if (node === undefined) return '';
  return connection.dotfiles.entry(node.path)?.kind === 'directory' ? node.path : parentOf(node.path);
}
