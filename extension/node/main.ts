import * as vscode from 'vscode';
export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(vscode.window.createTreeView('spoon.dotfiles', { treeDataProvider: { getChildren: () => [], getTreeItem: (x: vscode.TreeItem) => x } }));
  void vscode.commands.executeCommand('setContext', 'spoon.ready', true);
}
