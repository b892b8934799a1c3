import * as vscode from 'vscode';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { LocalDisk } from '../platform.ts';
import { nameOf, parentOf } from './dotfileIndex.ts';
import type { DotfileNode } from './dotfilesTree.ts';
import { outermost } from './dropPlan.ts';
import { inParallel } from './inParallel.ts';
import { localPath } from './localPath.ts';
import { TransferProgress } from './transferProgress.ts';
import { shortList } from './upload.ts';

const atOnce = 4;

interface Target {
  readonly dotfile: Dotfile;
  readonly uri: vscode.Uri;
}

/** From the home to the disk in front of the person, with modes and links where that disk is beside the extension. */
export class DownloadCommand {
  readonly #current: CurrentConnection;
  readonly #disk: LocalDisk;

  constructor(current: CurrentConnection, disk: LocalDisk) {
    this.#current = current;
    this.#disk = disk;
  }

  async run(nodes: readonly DotfileNode[]): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const paths = outermost(nodes.map(({ path }) => path));
    const [only] = paths;
    if (only === undefined) return;
    const entry = connection.dotfiles.entry(only);
    if (paths.length === 1 && entry?.kind === 'file' && entry.dotfile !== undefined) {
      await this.#downloadFile(connection, entry.dotfile);
    } else await this.#downloadMany(connection, paths);
  }

  async #downloadFile(connection: Connection, dotfile: Dotfile): Promise<void> {
    const uri = await vscode.window.showSaveDialog({
      title: vscode.l10n.t('Download {0}', nameOf(dotfile.path)),
      saveLabel: vscode.l10n.t('Download'),
      defaultUri: vscode.Uri.file(nameOf(dotfile.path)),
    });
    if (uri !== undefined) await this.#write(connection, { dotfile, uri });
  }

  async #downloadMany(connection: Connection, paths: readonly string[]): Promise<void> {
    const [folder] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('Download Dotfiles into a Folder'),
        openLabel: vscode.l10n.t('Download Here'),
        canSelectFiles: false,
        canSelectFolders: true,
      })) ?? [];
    if (folder === undefined) return;
    const targets = paths.flatMap((path) =>
      connection.dotfiles.below(path).map((dotfile) => ({
        dotfile,
        uri: vscode.Uri.joinPath(folder, dotfile.path.slice(parentOf(path).length)),
      })),
    );
    if (!(await agreesToReplace(paths.map((path) => vscode.Uri.joinPath(folder, nameOf(path)))))) return;
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Downloading dotfiles'),
      cancellable: true,
    };
    // Links last: nothing is ever written through one of them.
    const files = targets.filter(({ dotfile }) => dotfile.kind !== 'symlink');
    const links = targets.filter(({ dotfile }) => dotfile.kind === 'symlink');
    const leftOut: string[] = [];
    await vscode.window.withProgress(options, async (progress, token) => {
      const sizes = files.map(({ dotfile }) => dotfile.size);
      const shown = new TransferProgress(progress, sizes);
      await inParallel(files, atOnce, async (target) => {
        if (token.isCancellationRequested) throw new vscode.CancellationError();
        await this.#write(connection, target);
        shown.done(target.dotfile.size, target.dotfile.path);
      });
      for (const target of links) if (!(await this.#link(connection, target))) leftOut.push(target.dotfile.path);
    });
    if (leftOut.length > 0) {
      void vscode.window.showWarningMessage(
        vscode.l10n.t('Symbolic links that could not be made here were left out: {0}', shortList(leftOut)),
      );
    }
  }

  async #write({ dotfiles }: Connection, { dotfile, uri }: Target): Promise<void> {
    if (dotfile.kind === 'directory') await vscode.workspace.fs.createDirectory(uri);
    else await vscode.workspace.fs.writeFile(uri, (await dotfiles.read(dotfile.path as HomePath)).bytes);
    const path = localPath(uri);
    if (path !== undefined) await this.#disk.setMode(path, dotfile.mode);
  }

  async #link({ dotfiles }: Connection, { dotfile, uri }: Target): Promise<boolean> {
    const path = localPath(uri);
    if (path === undefined) return false;
    const { bytes } = await dotfiles.read(dotfile.path as HomePath);
    try {
      await vscode.workspace.fs.createDirectory(vscode.Uri.joinPath(uri, '..'));
      await this.#disk.makeLink(path, new TextDecoder().decode(bytes));
      return true;
    } catch {
      // Something is there, or the system makes no links: the person is told which.
      return false;
    }
  }
}

async function agreesToReplace(uris: readonly vscode.Uri[]): Promise<boolean> {
  const there: string[] = [];
  for (const uri of uris) {
    try {
      await vscode.workspace.fs.stat(uri);
      there.push(nameOf(uri.path));
    } catch (error) {
      if (!(error instanceof vscode.FileSystemError) || error.code !== 'FileNotFound') throw error;
    }
  }
  if (there.length === 0) return true;
  const replace = vscode.l10n.t('Replace');
  const question = vscode.l10n.t('{0} is there already. Replace what is of the same name?', there.join(', '));
  return (await vscode.window.showWarningMessage(question, { modal: true }, replace)) === replace;
}
