import * as vscode from 'vscode';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';

/**
 * A view of something that a connection has. Holds no data of its own: it shows again when what it follows has changed, and
 * begins anew with another sign-in.
 */
export abstract class ConnectionTree<Node extends object> implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  protected readonly current: CurrentConnection;
  protected readonly view: vscode.TreeView<Node>;
  protected readonly disposables: vscode.Disposable[];
  readonly #changed = new vscode.EventEmitter<Node | undefined>();
  readonly #nodes = new Map<string, Node>();
  #following: vscode.Disposable | undefined;
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(current: CurrentConnection, viewId: string, options: { readonly showCollapseAll?: boolean } = {}) {
    this.current = current;
    this.view = vscode.window.createTreeView(viewId, { ...options, treeDataProvider: this });
    this.disposables = [
      this.#changed,
      this.view,
      current.onDidChange((connection) => {
        this.#following?.dispose();
        this.#nodes.clear();
        this.#following = connection === undefined ? undefined : vscode.Disposable.from(...this.follow(connection));
        this.show();
      }),
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible) this.look();
      }),
    ];
  }

  get selection(): Node | undefined {
    return this.view.selection[0];
  }

  abstract getChildren(node?: Node): Node[];
  abstract getTreeItem(node: Node): vscode.TreeItem;
  abstract getParent(node: Node): Node | undefined;

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** What tells that there is something new to show. */
  protected abstract follow(connection: Connection): vscode.Disposable[];

  /** Somebody looks: what changes without a word is asked for. */
  protected abstract look(): void;

  protected show(): void {
    this.refresh();
  }

  /** @param node only this row; absent: all */
  refresh(node?: Node): void {
    this.#changed.fire(node);
  }

  /** One object per thing, so that VS Code knows it again. */
  protected node(node: Node): Node {
    const key = JSON.stringify(node);
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    this.#nodes.set(key, node);
    return node;
  }

  /** Calls it so often, until this is disposed of. */
  protected every(ms: number, work: () => void): void {
    const timer = setInterval(work, ms);
    this.disposables.push(new vscode.Disposable(() => clearInterval(timer)));
  }

  /** Somebody is there to see it, and the service to be asked. */
  protected get isLookedAt(): boolean {
    return this.view.visible && vscode.window.state.focused && this.current.connection?.state.name === 'connected';
  }
}
