import * as vscode from 'vscode';
import type { DotfilesSwitch } from '../../protocol/dotfilesSwitch.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { CommandId } from '../commandIds.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { repositoryRow } from '../repository/repositoryRow.ts';
import { Coalesce } from './coalesce.ts';
import { describeDotfile, isExecutable, spokenDotfile } from './dotfileFacts.ts';
import { type Entry, type IndexChange, mergeChanges, nameOf, parentOf } from './dotfileIndex.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';
import { FocusedRow } from './focusedRow.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';
import { winnerText } from './layersCommand.ts';

/** A place in the tree. One object per path for as long as the account is shown, so that VS Code knows it again. */
export interface DotfileNode {
  /** Empty for a hint. */
  readonly path: string;
  /** A row of an empty home that says what to do. VS Code takes no drops on a welcome view, but on rows it does. */
  readonly hint?: { readonly label: string; readonly icon: string; readonly command: CommandId };
}

/** The dotfiles repository, first of all; what it shows is `repository/repositoryRow.ts`. */
const repositoryNode: DotfileNode = {
  path: '',
  hint: { label: '', icon: 'repo', command: 'spoon.repository.showLog' },
};

/** While they are turned off, before everything else. */
const turnOnNode: DotfileNode = {
  path: '',
  hint: { label: vscode.l10n.t('Turn Dotfiles On'), icon: 'play-circle', command: 'spoon.dotfiles.turnOn' },
};

const hints: readonly DotfileNode[] = [
  {
    path: '',
    hint: { label: vscode.l10n.t('Upload Files…'), icon: 'cloud-upload', command: 'spoon.dotfiles.uploadFiles' },
  },
  {
    path: '',
    hint: { label: vscode.l10n.t('Upload a Folder…'), icon: 'folder', command: 'spoon.dotfiles.uploadFolder' },
  },
  { path: '', hint: { label: vscode.l10n.t('New Dotfile…'), icon: 'new-file', command: 'spoon.dotfiles.newFile' } },
  {
    path: '',
    hint: { label: vscode.l10n.t('Use a Dotfiles Repository…'), icon: 'repo', command: 'spoon.repository.configure' },
  },
];

export const dotfilesViewId = 'spoon.dotfiles';

/** The home's dotfiles in the sidebar. Holds no data of its own: what it shows is `HomeDotfiles`. */
export class DotfilesTree implements vscode.TreeDataProvider<DotfileNode>, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #changed = new vscode.EventEmitter<DotfileNode[] | undefined>();
  readonly #disposables: vscode.Disposable[] = [this.#changed];
  readonly #nodes = new Map<string, DotfileNode>();
  #following: vscode.Disposable | undefined;
  #view: vscode.TreeView<DotfileNode> | undefined;
  readonly #focusedRow = new FocusedRow<DotfileNode>();
  readonly #changes = new Coalesce<IndexChange>(100, (changes) => {
    this.#showState();
    this.#update(mergeChanges(changes));
  });
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(current: CurrentConnection) {
    this.#current = current;
    this.#disposables.push(
      current.onDidChange((connection) => this.#follow(connection)),
      current.onDidChangeState(() => this.#showState()),
    );
  }

  /** @param dragAndDropController has the tree's own moves and what comes from outside */
  open(dragAndDropController: vscode.TreeDragAndDropController<DotfileNode>): vscode.TreeView<DotfileNode> {
    this.#view = vscode.window.createTreeView(dotfilesViewId, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
      dragAndDropController,
    });
    this.#disposables.push(
      this.#view,
      this.#view.onDidChangeSelection(({ selection }) => this.#focusedRow.selectionChanged(selection)),
    );
    this.#showState();
    return this.#view;
  }

  get selection(): readonly DotfileNode[] {
    return (this.#view?.selection ?? []).filter(({ hint }) => hint === undefined);
  }

  /** What a key means; see {@link FocusedRow}. */
  keyTargets(): readonly DotfileNode[] {
    return this.#focusedRow.take()?.filter(({ hint }) => hint === undefined) ?? this.selection;
  }

  node(path: string): DotfileNode {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const node = { path };
    this.#nodes.set(path, node);
    return node;
  }

  async reveal(path: string, options: { focus: boolean }): Promise<void> {
    if (this.#view?.visible)
      await this.#view.reveal(this.node(path), { select: true, focus: options.focus, expand: false });
  }

  /** As {@link reveal}, also when the view was not open. */
  async show(path: string): Promise<void> {
    await this.#view?.reveal(this.node(path), { select: true, focus: true, expand: false });
  }

  getParent(node: DotfileNode): DotfileNode | undefined {
    if (node.hint !== undefined) return undefined;
    const parent = parentOf(node.path);
    return parent === '' ? undefined : this.node(parent);
  }

  getChildren(node?: DotfileNode): DotfileNode[] {
    const dotfiles = this.#current.connection?.dotfiles;
    if (node?.hint !== undefined) return [];
    const entries = (dotfiles?.children(node?.path ?? '') ?? []).map(({ path }) => this.node(path));
    if (node !== undefined) return entries;
    const first = [
      ...(this.#isOff ? [turnOnNode] : []),
      ...(repositoryRow(this.#current) === undefined ? [] : [repositoryNode]),
    ];
    const isEmpty = dotfiles?.isListed === true && dotfiles.count === 0;
    return [...first, ...(isEmpty ? hints : entries)];
  }

  getTreeItem(node: DotfileNode): vscode.TreeItem {
    if (node === repositoryNode) return repositoryRow(this.#current) ?? new vscode.TreeItem('');
    if (node.hint !== undefined) return hintItem(node.hint);
    const connection = this.#current.connection;
    const entry = connection?.dotfiles.entry(node.path);
    if (connection === undefined || entry === undefined) return new vscode.TreeItem(nameOf(node.path));
    const isFolder = entry.kind === 'directory';
    const item = new vscode.TreeItem(
      dotfileUri(accountOf(connection.session), node.path),
      isFolder ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    );
    item.id = `${accountOf(connection.session)}/${node.path}`;
    item.label = entry.name;
    item.iconPath = isFolder ? vscode.ThemeIcon.Folder : vscode.ThemeIcon.File;
    item.contextValue = contextOf(entry, connection.dotfiles);
    item.accessibilityInformation = { label: spokenDotfile(entry, connection.dotfiles) };
    if (entry.kind === 'symlink') item.description = vscode.l10n.t('link');
    if (!isFolder) {
      item.command = { command: 'vscode.open', title: vscode.l10n.t('Open'), arguments: [item.resourceUri] };
    }
    return item;
  }

  async resolveTreeItem(item: vscode.TreeItem, node: DotfileNode): Promise<vscode.TreeItem> {
    const connection = this.#current.connection;
    const entry = connection?.dotfiles.entry(node.path);
    if (connection === undefined || entry === undefined) return item;
    const { dotfiles } = connection;
    const isKnown = entry.kind !== 'directory' && this.#current.state.name === 'connected';
    // A tooltip that cannot say everything says the rest.
    const layers = isKnown ? await dotfiles.layers(entry.path as HomePath).catch(() => undefined) : undefined;
    item.tooltip = describeDotfile(entry, dotfiles, winnerText(layers?.layers ?? []));
    return item;
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  dispose(): void {
    this.#changes.clear();
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#nodes.clear();
    this.#changes.clear();
    if (connection !== undefined) {
      const { dotfiles, dotfilesSwitch } = connection;
      this.#following = vscode.Disposable.from(
        dotfilesSwitch.onDidChange(() => {
          this.#showState();
          this.refresh();
        }),
        dotfiles.onDidChange((change) => this.#changes.add(change)),
        dotfiles.onDidChangeProblems((changed) => this.#changes.add({ created: [], changed, deleted: [] })),
      );
    }
    this.#showState();
    this.refresh();
    if (connection === undefined) return;
    // The bar at the top of the view, until there is something to show; a failure shows by itself.
    const listed = connection.dotfiles.whenListed().catch(() => undefined);
    void vscode.window.withProgress({ location: { viewId: dotfilesViewId } }, () => listed);
  }

  /** Refreshes the folders in which something came or went, and the items that are others now; not the whole tree. */
  #update({ created, changed, deleted }: IndexChange): void {
    const folders = new Set([...created, ...deleted].map(parentOf));
    for (const path of deleted) this.#nodes.delete(path);
    if (folders.has('') || folders.size > 20) this.refresh();
    else this.#changed.fire([...folders, ...changed].map((path) => this.node(path)));
  }

  get #isOff(): boolean {
    return this.#current.connection?.dotfilesSwitch.state.on === false;
  }

  #showState(): void {
    const { connection, state } = this.#current;
    setContext('spoon.signedIn', state.name !== 'signedOut' && state.name !== 'refused');
    setContext('spoon.connection', state.name === 'refused' ? 'signedOut' : state.name);
    setContext('spoon.dotfiles.off', this.#isOff);
    setContext('spoon.dotfiles.hasFiles', (connection?.dotfiles.count ?? 0) > 0);
    if (this.#view === undefined) return;
    this.#view.description = connection === undefined ? '' : `/home/${connection.session.username}`;
    this.#view.message = this.#message(state.name, connection);
  }

  #message(state: string, connection: Connection | undefined): string {
    if (connection?.dotfiles.isListed !== true) return '';
    if (state === 'offline') return offlineMessage;
    if (this.#isOff) return offMessage(connection.dotfilesSwitch.state);
    return connection.dotfiles.count === 0 ? emptyMessage : '';
  }
}

function hintItem({ label, icon, command }: NonNullable<DotfileNode['hint']>): vscode.TreeItem {
  const item = new vscode.TreeItem(label);
  item.id = `hint/${command}`;
  item.iconPath = new vscode.ThemeIcon(icon);
  item.command = { command, title: label };
  item.accessibilityInformation = { label, role: 'button' };
  return item;
}

const emptyMessage = vscode.l10n.t('Your home has no dotfiles yet. Drop files or folders here.');
const offlineMessage = vscode.l10n.t(
  'Offline: this is what was there when the service was last heard of. Reconnecting…',
);

function offMessage({ applied, takenOut }: DotfilesSwitch): string {
  const what = vscode.l10n.t('Dotfiles are turned off. Edits are kept, and reach your home when you turn them on.');
  if (!applied) return `${what} ${vscode.l10n.t('Your box is off: its home is given back at its next start.')}`;
  const [first, ...more] = takenOut?.kept ?? [];
  if (first === undefined) return what;
  const names = more.length === 0 ? first : vscode.l10n.t('{0} and {1} more', first, more.length);
  return `${what} ${vscode.l10n.t('Changed by hand, so still there: {0}', names)}`;
}

/** Words that the menus look for. */
function contextOf(entry: Entry, dotfiles: HomeDotfiles): string {
  if (entry.kind === 'directory') return 'folder mode';
  const words = entry.kind === 'symlink' ? ['file', 'symlink'] : ['file', 'mode'];
  if (isExecutable(entry)) words.push('executable');
  const drift = dotfiles.drift(entry.path);
  if (drift !== undefined) words.push('drift');
  if (drift?.state === 'conflict') words.push('conflict');
  return words.join(' ');
}
