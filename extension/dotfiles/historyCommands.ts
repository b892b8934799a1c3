import * as vscode from 'vscode';
import type { DeletedDotfile, DotfileVersion, VersionOrigin } from '../../protocol/dotfiles.ts';
import { formatFileMode } from '../../protocol/fileMode.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import type { Log } from '../outputLog.ts';
import { runGuarded } from '../registerCommands.ts';
import { nameOf, parentOf } from './dotfileIndex.ts';
import type { DotfilesTree } from './dotfilesTree.ts';
import { accountOf, dotfileScheme, dotfileUri, pathOf, versionScheme, versionUri } from './dotfileUri.ts';
import { formatSize } from './formatSize.ts';
import { inParallel } from './inParallel.ts';
import { timeText } from './timeText.ts';

interface VersionItem extends vscode.QuickPickItem {
  readonly version: DotfileVersion;
}

interface DeletedItem extends vscode.QuickPickItem {
  readonly dotfile: DeletedDotfile;
}

const atOnce = 4;

const origins: Readonly<Record<VersionOrigin, string>> = {
  editor: vscode.l10n.t('saved in VS Code'),
  spoonctl: vscode.l10n.t('stored by spoonctl'),
  drift: vscode.l10n.t('changed in the box'),
  import: vscode.l10n.t('uploaded'),
  restore: vscode.l10n.t('restored'),
  api: vscode.l10n.t('stored by a program'),
};

const compareButton: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('diff'),
  tooltip: vscode.l10n.t('Compare with Current'),
};
const restoreButton: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('discard'),
  tooltip: vscode.l10n.t('Restore This Version'),
};

/** What was: the versions of a dotfile, and dotfiles that are gone. Going back never loses what is there now. */
export class HistoryCommands implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;
  readonly #log: Log;

  readonly #following: vscode.Disposable;

  constructor(current: CurrentConnection, tree: DotfilesTree, log: Log) {
    this.#current = current;
    this.#tree = tree;
    this.#log = log;
    const follow = (): void => setContext('spoon.dotfiles.showsVersion', shownVersion() !== undefined);
    const { onDidChangeTabs, onDidChangeTabGroups } = vscode.window.tabGroups;
    this.#following = vscode.Disposable.from(onDidChangeTabs(follow), onDidChangeTabGroups(follow));
  }

  dispose(): void {
    this.#following.dispose();
  }

  async show(path: string | undefined): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const kind = path === undefined ? undefined : connection.dotfiles.entry(path)?.kind;
    if (path === undefined || kind === undefined || kind === 'directory') return;
    const { versions } = await connection.dotfiles.history(path);
    const picker = vscode.window.createQuickPick<VersionItem>();
    picker.title = vscode.l10n.t('History of ~/{0}', path);
    picker.placeholder = vscode.l10n.t('Choose a version to compare it with the current one');
    picker.matchOnDescription = true;
    picker.items = versions.map((version) => versionItem(version));
    const done = Promise.withResolvers<void>();
    const act = (item: VersionItem | undefined, restores: boolean): void => {
      picker.hide();
      if (item === undefined) return;
      const { version } = item.version;
      const work = restores
        ? () => this.#restore(connection, path, version)
        : () => this.#compare(connection, path, item.version);
      void runGuarded(work, 'history', this.#log);
    };
    picker.onDidAccept(() => act(picker.selectedItems[0], false));
    picker.onDidTriggerItemButton(({ item, button }) => act(item, button === restoreButton));
    picker.onDidHide(() => {
      picker.dispose();
      done.resolve();
    });
    picker.show();
    await done.promise;
  }

  /** From the title of a comparison: the version on its left becomes the current one. */
  async restoreShown(): Promise<void> {
    const uri = shownVersion();
    if (uri === undefined) return;
    const [version = '', ...segments] = pathOf(uri).split('/');
    await this.#restore(this.#current.require(), segments.join('/'), Number(version));
  }

  async restoreDeleted(): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const deleted = await connection.dotfiles.deleted();
    if (deleted.length === 0) {
      void vscode.window.showInformationMessage(vscode.l10n.t('No deleted dotfile is kept.'));
      return;
    }
    const picked = await vscode.window.showQuickPick(deleted.map(deletedItem), {
      title: vscode.l10n.t('Restore Deleted Dotfiles'),
      placeHolder: vscode.l10n.t('They come back to where they were, with their history'),
      canPickMany: true,
      matchOnDescription: true,
    });
    if (picked === undefined) return;
    const restored: string[] = [];
    await inParallel(picked, atOnce, async ({ dotfile: { id } }) => {
      restored.push((await connection.dotfiles.restore({ id })).dotfile.path);
    });
    const [first] = restored;
    if (first !== undefined) await this.#tree.reveal(first, { focus: true });
  }

  async #compare({ session }: Connection, path: string, { version, current }: DotfileVersion): Promise<void> {
    const account = accountOf(session);
    if (current) return void (await vscode.commands.executeCommand('vscode.open', dotfileUri(account, path)));
    const title = vscode.l10n.t('{0} (version {1}) ↔ {0}', nameOf(path), version);
    await vscode.commands.executeCommand(
      'vscode.diff',
      versionUri(account, path, version),
      dotfileUri(account, path),
      title,
    );
  }

  async #restore(connection: Connection, path: string, version: number): Promise<void> {
    connection.requireReachable();
    const { dotfiles } = connection;
    const before = dotfiles.entry(path)?.dotfile;
    if (before === undefined || before.version === version) return;
    const { dotfile } = await dotfiles.restore(path, { version, etag: before.etag });
    const undo = vscode.l10n.t('Undo');
    const message = vscode.l10n.t('{0} is as it was in version {1}.', nameOf(path), version);
    void vscode.window.showInformationMessage(message, undo).then((answer) => {
      if (answer !== undo) return undefined;
      const back = { version: before.version, etag: dotfile.etag };
      return runGuarded(() => dotfiles.restore(path, back), 'undo restore', this.#log);
    });
  }
}

/** The older side of the comparison that has the focus. */
function shownVersion(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof vscode.TabInputTextDiff) || input.original.scheme !== versionScheme) return undefined;
  return input.original.path.startsWith('/home/') ? undefined : input.original;
}

function versionItem(version: DotfileVersion): VersionItem {
  const { mode, size, origin, createdMs, current, kind } = version;
  const facts = kind === 'symlink' ? [vscode.l10n.t('symbolic link')] : [formatSize(size), formatFileMode(mode)];
  const when = new Date(createdMs).toLocaleString();
  return {
    version,
    label: vscode.l10n.t('Version {0}', version.version),
    description: `${timeText(createdMs, Date.now())}, ${origins[origin]}`,
    detail: [...(current ? [vscode.l10n.t('current')] : []), when, ...facts].join(', '),
    iconPath: new vscode.ThemeIcon(current ? 'check' : 'history'),
    buttons: current ? [] : [compareButton, restoreButton],
  };
}

function deletedItem(dotfile: DeletedDotfile): DeletedItem {
  const { path, deletedMs, forgottenMs, size, mode, kind } = dotfile;
  const facts = kind === 'file' ? [formatSize(size), formatFileMode(mode)] : [];
  const until = vscode.l10n.t('kept until {0}', new Date(forgottenMs).toLocaleDateString());
  return {
    dotfile,
    label: nameOf(path),
    description: [parentOf(path), vscode.l10n.t('deleted {0}', timeText(deletedMs, Date.now()))]
      .filter(Boolean)
      .join(', '),
    detail: [...facts, until].join(', '),
  };
}

/** Of a node or of what the editor shows; the home's own comparison counts too. */
export function dotfilePathOf(uri: vscode.Uri | undefined): string | undefined {
  const shown = uri ?? vscode.window.activeTextEditor?.document.uri;
  return shown?.scheme === dotfileScheme ? pathOf(shown) : undefined;
}
