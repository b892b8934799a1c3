import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { copyDotfiles } from './copyDotfiles.ts';
import { joinPath, nameOf } from './dotfileIndex.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import { freeName, outermost } from './dropPlan.ts';
import type { EditCommands } from './editCommands.ts';
import { folderOf } from './uploadCommands.ts';

/** Cut, copy and paste inside the tree, as in the Explorer. What is cut moves when it is pasted, and not before. */
export class DotfileClipboard implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #tree: DotfilesTree;
  readonly #edit: EditCommands;
  readonly #cutChanged = new vscode.EventEmitter<readonly string[]>();
  readonly #following: vscode.Disposable;
  #paths: readonly string[] = [];
  #isCut = false;
  /** Paths that {@link isCut} answers differently for now. */
  readonly onDidChangeCut = this.#cutChanged.event;

  constructor(current: CurrentConnection, tree: DotfilesTree, edit: EditCommands) {
    this.#current = current;
    this.#tree = tree;
    this.#edit = edit;
    this.#following = current.onDidChange(() => this.#set([], false));
  }

  isCut(path: string): boolean {
    return this.#isCut && this.#paths.includes(path);
  }

  cut(nodes: readonly DotfileNode[]): void {
    this.#current.require().requireReachable();
    this.#set(
      nodes.map(({ path }) => path),
      true,
    );
  }

  copy(nodes: readonly DotfileNode[]): void {
    this.#set(
      nodes.map(({ path }) => path),
      false,
    );
  }

  /** Beside a file, into a folder. A copy never replaces anything; a move asks. */
  async paste(node: DotfileNode | undefined): Promise<void> {
    // The key comes here at any time: a condition that follows the copy would come too late for quick fingers.
    if (this.#paths.length === 0) return;
    const connection = this.#current.require();
    connection.requireReachable();
    const { dotfiles } = connection;
    const folder = folderOf(connection, node);
    const paths = this.#paths.filter((path) => dotfiles.entry(path) !== undefined);
    if (this.#isCut) {
      this.#set([], false);
      await this.#edit.moveInto(paths, folder);
      return;
    }
    const isTaken = (path: string): boolean => dotfiles.entry(path) !== undefined;
    const pasted: string[] = [];
    await vscode.window.withProgress({ location: { viewId: 'spoon.dotfiles' } }, async () => {
      for (const from of outermost(paths)) {
        const wanted = joinPath(folder, nameOf(from));
        const to = isTaken(wanted) ? freeName(wanted, isTaken) : wanted;
        await copyDotfiles(dotfiles, from, to);
        pasted.push(to);
      }
    });
    const [first] = pasted;
    if (first !== undefined) await this.#tree.reveal(first, { focus: true });
  }

  dispose(): void {
    this.#following.dispose();
    this.#cutChanged.dispose();
  }

  #set(paths: readonly string[], isCut: boolean): void {
    const affected = [...(this.#isCut ? this.#paths : []), ...(isCut ? paths : [])];
    this.#paths = outermost(paths);
    this.#isCut = isCut;
    setContext('spoon.dotfiles.canPaste', paths.length > 0);
    if (affected.length > 0) this.#cutChanged.fire(affected);
  }
}
