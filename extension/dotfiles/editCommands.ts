import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import { type HomePath, parseHomePath, repairHomePath } from '../../protocol/homePath.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { failureText } from '../failure.ts';
import { copyDotfiles } from './copyDotfiles.ts';
import { type Entry, nameOf, parentOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { accountOf, dotfileUri, pathOf } from './dotfileUri.ts';
import { freeName, type Move, planMove, type There } from './dropPlan.ts';
import type { EditorMoves } from './editorMoves.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';

/** New, rename, duplicate, open: what a person does to one dotfile at a time. */
export class EditCommands {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;
  readonly #moves: EditorMoves;

  constructor(current: CurrentConnection, tree: DotfilesTree, moves: EditorMoves) {
    this.#current = current;
    this.#tree = tree;
    this.#moves = moves;
  }

  async newFile(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const path = await this.#askPath(connection, {
      title: vscode.l10n.t('New Dotfile'),
      prompt: vscode.l10n.t('Path below your home, such as .bashrc or .config/nvim/init.lua'),
      value: folderPrefix(connection, node),
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
      value: folderPrefix(connection, node),
    });
    if (path === undefined) return;
    await connection.dotfiles.save(path, new Uint8Array(), { base: 'create', kind: 'directory' });
    await this.#tree.reveal(path, { focus: true });
  }

  async rename(node?: DotfileNode): Promise<void> {
    const connection = this.#current.require();
    const from = node?.path;
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
    if (to !== undefined) await this.move([{ from, to, overwrite: false }]);
    // Also when it was left: the keys go back to where they came from.
    await this.#tree.reveal(to ?? from, { focus: true });
  }

  /** By drag or paste: what would be replaced is asked first. */
  async moveInto(paths: readonly string[], folder: string): Promise<void> {
    const { dotfiles } = this.#current.require();
    const { moves, refused } = planMove(paths, { folder, there: (path) => whatIs(dotfiles, path) });
    if (refused.length > 0) void vscode.window.showWarningMessage(refused.map(({ why }) => why).join(' '));
    const taken = moves.filter(({ overwrite }) => overwrite);
    if (taken.length > 0) {
      const replace = vscode.l10n.t('Replace');
      const names = taken.map(({ to }) => nameOf(to)).join(', ');
      const question = vscode.l10n.t('{0} is there already. Replace it?', names);
      if ((await vscode.window.showWarningMessage(question, { modal: true }, replace)) !== replace) return;
    }
    await this.move(moves);
    const [first] = moves;
    if (first !== undefined) await this.#tree.reveal(first.to, { focus: true });
  }

  /** One after the other. @throws SpoonError for the first that is refused, with its name; what comes after it stays, too */
  async move(moves: readonly Move[]): Promise<void> {
    const connection = this.#current.require();
    connection.requireReachable();
    for (const move of moves) {
      try {
        await this.#moveOne(connection, move);
      } catch (error) {
        if (!(error instanceof SpoonError)) throw error;
        const { code, detail = '' } = error;
        throw new SpoonError(code, `${detail} ${move.from} was not moved.`.trimStart(), { cause: error });
      }
    }
  }

  async #moveOne({ dotfiles, session }: Connection, move: Move): Promise<void> {
    const [from, to] = [parseHomePath(move.from), parseHomePath(move.to)];
    const { overwrite } = move;
    const account = accountOf(session);
    if (tabsOf(dotfileUri(account, from)).length === 0) return await dotfiles.move(from, to, { overwrite });
    if (!overwrite && dotfiles.entry(to) !== undefined) throw new SpoonError('file-exists', `${to} is there already.`);
    const folder = parentOf(to);
    if (folder !== '' && dotfiles.entry(folder) === undefined) {
      await dotfiles.save(parseHomePath(folder), new Uint8Array(), { base: 'create', kind: 'directory' });
    }
    await this.#moves.move(dotfileUri(account, from), dotfileUri(account, to), { overwrite });
  }

  /** One is asked for its name; several get free ones. */
  async duplicate(nodes: readonly DotfileNode[]): Promise<void> {
    const connection = this.#current.require();
    const { dotfiles } = connection;
    connection.requireReachable();
    const isTaken = (path: string): boolean => dotfiles.entry(path) !== undefined;
    const [only] = nodes;
    if (only === undefined) return;
    if (nodes.length > 1) {
      for (const { path } of nodes) await copyDotfiles(dotfiles, path, freeName(path, isTaken));
      return;
    }
    const to = await this.#askPath(connection, {
      title: vscode.l10n.t('Duplicate {0}', nameOf(only.path)),
      prompt: vscode.l10n.t('Path of the copy below your home'),
      value: freeName(only.path, isTaken),
    });
    if (to === undefined) return;
    await copyDotfiles(dotfiles, only.path, to);
    if (dotfiles.entry(to)?.kind === 'file') await this.#show(connection, to);
    else await this.#tree.reveal(to, { focus: true });
  }

  async open(nodes: readonly DotfileNode[], viewColumn = vscode.ViewColumn.Active): Promise<void> {
    const connection = this.#current.require();
    const account = accountOf(connection.session);
    const paths = nodes.map(({ path }) => path).filter((path) => connection.dotfiles.entry(path)?.kind !== 'directory');
    // Several open for good: each would take the place of the one before.
    const options = paths.length > 1 ? { viewColumn, preview: false } : { viewColumn };
    for (const path of paths) {
      await vscode.commands.executeCommand('vscode.open', dotfileUri(account, path), options);
    }
  }

  /** *Reveal in Dotfiles View*, from an editor. */
  async reveal(uri: vscode.Uri | undefined): Promise<void> {
    const connection = this.#current.require();
    const shown = uri ?? vscode.window.activeTextEditor?.document.uri;
    if (shown === undefined || shown.authority !== accountOf(connection.session)) return;
    await vscode.commands.executeCommand('spoon.dotfiles.focus');
    if (connection.dotfiles.entry(pathOf(shown)) !== undefined) await this.#tree.show(pathOf(shown));
  }

  async openByPath(): Promise<void> {
    const connection = this.#current.require();
    await connection.dotfiles.whenListed();
    const account = accountOf(connection.session);
    const items = connection.dotfiles
      .below('')
      .filter(({ kind }) => kind !== 'directory')
      .map(({ path }) => ({ label: nameOf(path), description: parentOf(path), iconPath: vscode.ThemeIcon.File, path }))
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
    const paths = nodes.map(({ path }) => `/home/${username}/${path}`);
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

function whatIs(dotfiles: HomeDotfiles, path: string): There | undefined {
  const entry = dotfiles.entry(path);
  if (entry?.kind !== 'directory') return entry;
  return { kind: entry.kind, count: dotfiles.below(path).filter((dotfile) => dotfile.path !== path).length };
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

/** The tabs that show the file, or something in the folder; also as an image or in another editor than that for text. */
export function tabsOf(uri: vscode.Uri): vscode.Tab[] {
  const text = uri.toString();
  return vscode.window.tabGroups.all
    .flatMap(({ tabs }) => tabs)
    .filter(({ input }) => {
      const isFile = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
      const shown = isFile ? input.uri.toString() : '';
      return shown === text || shown.startsWith(`${text}/`);
    });
}
