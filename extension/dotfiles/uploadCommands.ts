import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { Log } from '../outputLog.ts';
import type { LocalDisk } from '../platform.ts';
import { runGuarded } from '../registerCommands.ts';
import { setting } from '../settings.ts';
import { joinPath, parentOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { localPath } from './localPath.ts';
import { managerOf } from './managedFolder.ts';
import type { SecretNudge } from './secretNudge.ts';
import { upload, uploadRest } from './upload.ts';
import type { UploadReports, UploadResult } from './uploadReport.ts';
import { type Collected, collectUris } from './uploadSources.ts';

export interface UploadParts {
  readonly current: CurrentConnection;
  readonly tree: DotfilesTree;
  readonly reports: UploadReports;
  readonly nudge: SecretNudge;
  readonly disk: LocalDisk;
  readonly log: Log;
}

/** From the disk in front of the person into the home. */
export class UploadCommands {
  readonly #parts: UploadParts;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  async uploadFiles(node?: DotfileNode): Promise<void> {
    await this.#chooseAndUpload(node, {
      title: (place) => vscode.l10n.t('Upload Dotfiles into {0}', place),
      openLabel: vscode.l10n.t('Upload'),
      canSelectFiles: true,
      canSelectMany: true,
    });
  }

  /** A command of its own: on Windows and Linux one dialog cannot choose both files and folders. */
  async uploadFolder(node?: DotfileNode): Promise<void> {
    await this.#chooseAndUpload(node, {
      title: (place) => vscode.l10n.t('Upload a Folder of Dotfiles into {0}', place),
      openLabel: vscode.l10n.t('Upload'),
      canSelectFiles: false,
      canSelectFolders: true,
      canSelectMany: true,
    });
  }

  /** A folder that stands for a home: what is in it goes into the home, and not the folder itself. */
  async importFolder(): Promise<void> {
    this.#parts.current.require().requireReachable();
    const [folder] =
      (await vscode.window.showOpenDialog({
        title: vscode.l10n.t('Import What Is in a Folder into Your Home'),
        openLabel: vscode.l10n.t('Import'),
        canSelectFiles: false,
        canSelectFolders: true,
      })) ?? [];
    if (folder === undefined || !(await agreesToImport(folder))) return;
    await this.uploadCollected(await this.#collect([folder], true), '');
  }

  async uploadUris(uris: readonly vscode.Uri[], folder: string): Promise<void> {
    this.#parts.current.require().requireReachable();
    await this.uploadCollected(await this.#collect(uris, false), folder);
  }

  async uploadCollected(collected: Collected, folder: string): Promise<void> {
    const result = await upload(this.#parts.current.require(), folder, collected);
    if (result !== undefined) await this.#finish(result, folder);
  }

  async #finish(result: UploadResult, folder: string): Promise<void> {
    const { current, tree, reports, nudge, log } = this.#parts;
    for (const { name, why } of result.refused) log.warn(`upload of ${name}: ${why}`);
    reports.show(result, () => {
      const again = async (): Promise<void> => {
        const rest = await uploadRest(current.require(), folder, result);
        if (rest !== undefined) await this.#finish(rest, folder);
      };
      void runGuarded(again, 'upload the rest', log);
    });
    nudge.tell(current.require(), result.suspects);
    const [first] = [...result.stored].sort();
    if (first === undefined) return;
    // What was chosen, not something deep in it.
    const [name = ''] = first.slice(folder === '' ? 0 : folder.length + 1).split('/');
    await tree.reveal(joinPath(folder, name), { focus: false });
  }

  async #collect(uris: readonly vscode.Uri[], isRoot: boolean): Promise<Collected> {
    const { disk } = this.#parts;
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Looking through what to upload'),
      cancellable: true,
    };
    return await vscode.window.withProgress(options, (_, token) =>
      collectUris(uris, { exclude: setting('dotfiles.exclude'), token, localPath, disk, isRoot }),
    );
  }

  /** Says where to: from the palette that is the folder selected in the tree, which may be out of sight. */
  async #chooseAndUpload(
    node: DotfileNode | undefined,
    { title, ...options }: Omit<vscode.OpenDialogOptions, 'title'> & { readonly title: (place: string) => string },
  ): Promise<void> {
    const connection = this.#parts.current.require();
    connection.requireReachable();
    const folder = folderOf(connection, node);
    const place = folder === '' ? '~' : `~/${folder}`;
    const chosen = await vscode.window.showOpenDialog({ ...options, title: title(place) });
    if (chosen !== undefined) await this.uploadUris(chosen, folder);
  }
}

/** A folder that a dotfiles manager reads has other names in it than the home: worth a question before it goes in. */
async function agreesToImport(folder: vscode.Uri): Promise<boolean> {
  const names = (await vscode.workspace.fs.readDirectory(folder)).map(([name]) => name);
  const manager = managerOf(names);
  if (manager === undefined) return true;
  const goOn = vscode.l10n.t('Import as It Is');
  const question = vscode.l10n.t('This looks like a folder that {0} manages. Import it as it is?', manager.name);
  return (await vscode.window.showWarningMessage(question, { modal: true, detail: manager.hint }, goOn)) === goOn;
}

/** Where an upload goes: the folder itself, or the one that the file is in; the home where nothing was chosen. */
export function folderOf(connection: Connection, node: DotfileNode | undefined): string {
  if (node === undefined) return '';
  return connection.dotfiles.entry(node.path)?.kind === 'directory' ? node.path : parentOf(node.path);
}
