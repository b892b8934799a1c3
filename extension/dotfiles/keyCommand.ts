import * as vscode from 'vscode';
import { type CommandId, commandIds } from '../commandIds.ts';
import type { DotfileNode } from './dotfilesTree.ts';

/** What a key meant when it was pressed: a repetition after a failure means the same, whatever is selected by then. */
export class KeyTargets {
  readonly nodes: readonly DotfileNode[];

  constructor(nodes: readonly DotfileNode[]) {
    this.nodes = nodes;
  }
}

/**
 * What all keys of the tree run after their toggles, with the command that they are for. It is not in the manifest: for a command
 * that is there VS Code asks the extensions first, once, and clicks and other keys get between (decision 0110).
 */
export function registerKeyCommand(tree: { keyTargets(): readonly DotfileNode[] }): vscode.Disposable {
  return vscode.commands.registerCommand('spoon.dotfiles.byKey', (command: unknown) => {
    const id = commandIds.find((known): known is CommandId => known === command);
    const targets = new KeyTargets(tree.keyTargets());
    return id === undefined ? undefined : vscode.commands.executeCommand(id, targets);
  });
}
