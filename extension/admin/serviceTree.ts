import * as vscode from 'vscode';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { ConnectionTree } from '../tree/connectionTree.ts';
import type { AdminService } from './adminService.ts';
import { findRow, parentOf, type ServiceRow, serviceRows } from './serviceRows.ts';

export interface ServiceNode {
  readonly kind: 'service';
  readonly key: string;
}

const serviceViewId = 'spoon.admin';
const lookEveryMs = 10_000;

/** The Service view: how the service stands, its users and their boxes. Asked only while somebody looks. */
export class ServiceTree extends ConnectionTree<ServiceNode> {
  readonly #service: AdminService;
  #rows: readonly ServiceRow[] = [];

  constructor(current: CurrentConnection, service: AdminService) {
    super(current, serviceViewId);
    this.#service = service;
    this.disposables.push(service.onDidChange(() => this.show()));
    this.every(lookEveryMs, () => {
      if (this.isLookedAt) this.look();
    });
  }

  /** @param node of a command's row; absent: the one that is selected */
  rowOf(node: unknown): ServiceRow | undefined {
    const given = typeof node === 'object' && node !== null && 'key' in node ? node : this.selection;
    return given === undefined ? undefined : findRow(this.#rows, String(given.key));
  }

  getParent({ key }: ServiceNode): ServiceNode | undefined {
    const parent = parentOf(this.#rows, key);
    return parent === undefined ? undefined : this.#nodeOf(parent);
  }

  getChildren(node?: ServiceNode): ServiceNode[] {
    const rows = node === undefined ? this.#rows : (findRow(this.#rows, node.key)?.children ?? []);
    return rows.map((row) => this.#nodeOf(row));
  }

  getTreeItem({ key }: ServiceNode): vscode.TreeItem {
    const row = findRow(this.#rows, key);
    if (row === undefined) return new vscode.TreeItem('');
    const state =
      row.children.length === 0
        ? vscode.TreeItemCollapsibleState.None
        : row.isOpen
          ? vscode.TreeItemCollapsibleState.Expanded
          : vscode.TreeItemCollapsibleState.Collapsed;
    const item = new vscode.TreeItem(row.label, state);
    // Another id with the first child: VS Code takes the twistie of a row that it knows from before.
    item.id = `${key} ${row.children.length > 0}`;
    item.description = row.description;
    item.iconPath = new vscode.ThemeIcon(row.icon);
    item.contextValue = row.context;
    item.tooltip = row.tooltip;
    item.accessibilityInformation = { label: row.spoken };
    return item;
  }

  protected follow(): vscode.Disposable[] {
    return [];
  }

  protected look(): void {
    this.#service.refreshSoon();
  }

  protected override show(): void {
    const { facts } = this.#service;
    this.#rows = facts === undefined ? [] : serviceRows(facts, Date.now());
    this.refresh();
  }

  #nodeOf({ key }: ServiceRow): ServiceNode {
    return this.node({ kind: 'service', key });
  }
}
