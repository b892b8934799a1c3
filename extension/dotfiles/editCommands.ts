import * as vscode from 'vscode';
import { type HomePath, parseHomePath, repairHomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';
import { type Entry, joinPath, nameOf, parentOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { accountOf, dotfileUri } from './dotfileUri.ts';

/** New, rename, duplicate, open: what a person does to one dotfile at a time. */
export class EditCommands {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;

  constructor(current: CurrentConnection, tree: DotfilesTree) {
    this.#current = current;
    this.#tree = tree;
  }

  async newFile(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const path = await this.#askPath(connection, {
      title: vscode.l10n.t('New Dotfile'),
      prompt: vscode.l10n.t('Path below your home, such as .bashrc or .config/nvim/init.lua'),
      value: folderPrefix(connection, node ?? this.#tree.selection[0]),
    });
    if (path === undefined) return;
    await connection.dotfiles.save(path, new Uint8Array(), { base: 'create' });
    await this.#show(connection, path);
  }

  async newFolder(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const path = await this.#askPath(connection, {
      title: vscode.l10n.t('New Dotfiles Folder'),
      prompt: vscode.l10n.t('Path below your home, such as .config/nvim'),
      value: folderPrefix(connection, node ?? this.#tree.selection[0]),
    });
    if (path === undefined) return;
    await connection.dotfiles.save(path, new Uint8Array(), { base: 'create', kind: 'directory' });
    await this.#tree.reveal(path, { focus: true });
  }

  async rename(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const from = (node ?? this.#tree.selection[0])?.path;
    if (from === undefined) return;
    const name = nameOf(from);
    const dot = name.lastIndexOf('.');
    const start = from.length - name.length;
    const to = await this.#askPath(connection, {
      title: vscode.l10n.t('Rename {0}', name),
      prompt: vscode.l10n.t('New path below your home; another folder moves it there'),
      value: from,
      // The name without its extension, as the Explorer has it.
      selection: [start, dot > 0 ? start + dot : from.length],
    });
    if (to === undefined) return;
    await this.move([{ from, to }]);
    await this.#tree.reveal(to, { focus: true });
  }

  /** Through VS Code, so that open editors go along, with what is not saved in them. */
  async move(moves: readonly { readonly from: string; readonly to: string }[], overwrite = false): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    const account = accountOf(connection.session);
    for (const { from, to } of moves) {
      const opened = openEditors(dotfileUri(account, from));
      if (opened === 0) {
        await connection.dotfiles.move(parseHomePath(from), parseHomePath(to), { overwrite });
        continue;
      }
      if (parentOf(to) !== '' && connection.dotfiles.entry(parentOf(to)) === undefined) {
        await vscode.workspace.fs.createDirectory(dotfileUri(account, parentOf(to)));
      }
      const edit = new vscode.WorkspaceEdit();
      edit.renameFile(dotfileUri(account, from), dotfileUri(account, to), { overwrite });
      await vscode.workspace.applyEdit(edit);
    }
  }

  async duplicate(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const entry = entryOf(connection, node ?? this.#tree.selection[0]);
    if (entry === undefined || entry.kind === 'directory') return;
    const to = await this.#askPath(connection, {
      title: vscode.l10n.t('Duplicate {0}', entry.name),
      prompt: vscode.l10n.t('Path of the copy below your home'),
      value: joinPath(parentOf(entry.path), freeName(connection, entry)),
    });
    if (to === undefined) return;
    const { bytes, kind, mode } = await connection.dotfiles.read(entry.path as HomePath);
    await connection.dotfiles.save(to, bytes, { base: 'create', kind, mode });
    await this.#show(connection, to);
  }

  async open(node: DotfileNode | undefined, viewColumn = vscode.ViewColumn.Active): Promise<void> {
    const connection = this.#current.require();
    const entry = entryOf(connection, node ?? this.#tree.selection[0]);
    if (entry === undefined || entry.kind === 'directory') return;
    await vscode.commands.executeCommand(
      'vscode.open',
      dotfileUri(accountOf(connection.session), entry.path),
      viewColumn,
    );
  }

  async openByPath(): Promise<void> {
    const connection = this.#current.require();
    await connection.dotfiles.whenListed();
    const account = accountOf(connection.session);
    const items = connection.dotfiles
      .below('')
      .filter(({ kind }) => kind !== 'directory')
      .map(({ path }) => ({ label: nameOf(path), description: parentOf(path), path }))
      .sort((one, other) => one.path.localeCompare(other.path));
    const picked = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t('Open Dotfile'),
      placeHolder:
        items.length === 0 ? vscode.l10n.t('There are no dotfiles yet') : vscode.l10n.t('Type a part of the path'),
      matchOnDescription: true,
    });
    if (picked !== undefined) await vscode.commands.executeCommand('vscode.open', dotfileUri(account, picked.path));
  }

  async copyPath(nodes: readonly DotfileNode[]): Promise<void> {
    const { username } = this.#current.require().session;
    const paths = (nodes.length > 0 ? nodes : this.#tree.selection).map(({ path }) => `/home/${username}/${path}`);
    if (paths.length > 0) await vscode.env.clipboard.writeText(paths.join('\n'));
  }

  /** In a window of its own: adding a folder to this one would restart every extension and so every terminal in it. */
  async openInExplorer(): Promise<void> {
    const { session } = this.#current.require();
    await vscode.commands.executeCommand('vscode.openFolder', dotfileUri(accountOf(session), ''), {
      forceNewWindow: true,
    });
  }

  async #show(connection: Connection, path: string): Promise<void> {
    await this.#tree.reveal(path, { focus: false });
    await vscode.commands.executeCommand('vscode.open', dotfileUri(accountOf(connection.session), path));
  }

  async #askPath(
    connection: Connection,
    question: { title: string; prompt: string; value: string; selection?: [number, number] },
  ): Promise<HomePath | undefined> {
    connection.requireReachable();
    await connection.dotfiles.whenListed();
    const { username } = connection.session;
    const typed = await vscode.window.showInputBox({
      ...question,
      // The walkthrough takes the focus back when the palette closes; the question has to outlive that.
      ignoreFocusOut: true,
      valueSelection: question.selection ?? [question.value.length, question.value.length],
      // What was suggested is no mistake, nor is nothing; Enter then only has nothing to do.
      validateInput: (text) =>
        text === question.value || text.trim() === '' ? undefined : this.#checkPath(connection, text),
    });
    if (typed === undefined || typed.trim() === '' || (typed === question.value && !isFree(connection, typed))) {
      return undefined;
    }
    return parseHomePath(repairHomePath(typed, username).replace(/\/$/, ''));
  }

  #checkPath({ dotfiles, session }: Connection, typed: string): string | undefined {
    try {
      const path = parseHomePath(repairHomePath(typed, session.username).replace(/\/$/, ''));
      if (dotfiles.entry(path) !== undefined) return vscode.l10n.t('{0} is there already.', path);
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder)) {
        const above = dotfiles.entry(folder);
        if (above !== undefined && above.kind !== 'directory') return vscode.l10n.t('{0} is a file.', folder);
      }
      return undefined;
    } catch (error) {
      return failureText(error);
    }
  }
}

function entryOf({ dotfiles }: Connection, node: DotfileNode | undefined): Entry | undefined {
  return node === undefined ? undefined : dotfiles.entry(node.path);
}

/** A suggestion may be taken as it is (a name for a copy) or be only the start of one (a folder). */
function isFree({ dotfiles }: Connection, suggestion: string): boolean {
  return !suggestion.endsWith('/') && dotfiles.entry(suggestion) === undefined;
}

/** The folder of what is selected, ready to type a name after. */
function folderPrefix(connection: Connection, node: DotfileNode | undefined): string {
  const entry = entryOf(connection, node);
  if (entry === undefined) return '';
  const folder = entry.kind === 'directory' ? entry.path : parentOf(entry.path);
  return folder === '' ? '' : `${folder}/`;
}

/** `.bashrc copy`, `init copy.lua`, `init copy 2.lua`: as the Explorer names them. */
function freeName({ dotfiles }: Connection, { path, name }: Entry): string {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let count = 1; ; count++) {
    const candidate = `${stem} copy${count === 1 ? '' : ` ${count}`}${extension}`;
    if (dotfiles.entry(joinPath(parentOf(path), candidate)) === undefined) return candidate;
  }
}

/** How many tabs show the file, or something in the folder. */
export function openEditors(uri: vscode.Uri): number {
  const text = uri.toString();
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => {
      const shown = input instanceof vscode.TabInputText ? input.uri.toString() : '';
      return shown === text || shown.startsWith(`${text}/`);
    }).length;
}
