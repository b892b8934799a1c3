import * as vscode from 'vscode';
import type { DotfileCommandId } from '../commandIds.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import type { CommandHandler } from '../registerCommands.ts';
import { compareWithLocal } from './compareWithLocal.ts';
import type { DeleteCommand } from './deleteCommand.ts';
import type { DotfileClipboard } from './dotfileClipboard.ts';
import type { DotfileNode, DotfilesTree } from './dotfilesTree.ts';
import type { DownloadCommand } from './downloadCommand.ts';
import type { DriftCommands } from './driftCommands.ts';
import type { EditCommands } from './editCommands.ts';
import { dotfilePathOf, type HistoryCommands } from './historyCommands.ts';
import { KeyTargets } from './keyCommand.ts';
import { showLayers } from './layersCommand.ts';
import { changeMode } from './modeCommand.ts';
import { turnOff, turnOn } from './switchCommands.ts';
import type { UploadCommands } from './uploadCommands.ts';

export interface DotfileParts {
  readonly current: CurrentConnection;
  readonly tree: DotfilesTree;
  readonly edit: EditCommands;
  readonly uploads: UploadCommands;
  readonly downloads: DownloadCommand;
  readonly remove: DeleteCommand;
  readonly clipboard: DotfileClipboard;
  readonly history: HistoryCommands;
  readonly drift: DriftCommands;
}

/** What the dotfiles' commands do with what VS Code hands them: the nodes of a menu, the focus of a key, or nothing. */
export function dotfileCommands(parts: DotfileParts): Readonly<Record<DotfileCommandId, CommandHandler>> {
  const { current, tree, edit, uploads, downloads, remove, clipboard, history, drift } = parts;
  const some = (first: unknown, all: unknown): readonly DotfileNode[] => {
    if (first instanceof KeyTargets) return first.nodes;
    const nodes = (Array.isArray(all) ? all : [first]).map(nodeOf).filter((node) => node !== undefined);
    return nodes.length > 0 ? nodes : tree.selection;
  };
  const one = (first: unknown): DotfileNode | undefined => some(first, undefined)[0];
  /** A node of the tree, the file of an editor's title, or from the palette the one in the editor. */
  const pathOfTarget = (target: unknown): string | undefined => {
    if (target instanceof vscode.Uri) return dotfilePathOf(target);
    return nodeOf(target)?.path ?? dotfilePathOf(undefined) ?? tree.selection[0]?.path;
  };
  const pathsOfTargets = (target: unknown, targets: unknown): readonly string[] => {
    if (nodeOf(target) !== undefined) return some(target, targets).map(({ path }) => path);
    const path = pathOfTarget(target);
    return path === undefined ? [] : [path];
  };
  /** From the palette it asks: the file may be one that is no dotfile. */
  const layersPath = (target: unknown): string | undefined =>
    target instanceof vscode.Uri ? dotfilePathOf(target) : nodeOf(target)?.path;
  return {
    'spoon.dotfiles.newFile': (node) => edit.newFile(one(node)),
    'spoon.dotfiles.newFolder': (node) => edit.newFolder(one(node)),
    'spoon.dotfiles.uploadFiles': (node) => uploads.uploadFiles(one(node)),
    'spoon.dotfiles.uploadFolder': (node) => uploads.uploadFolder(one(node)),
    'spoon.dotfiles.uploadResources': (uri, uris) => uploads.uploadUris(urisOf(uri, uris), ''),
    'spoon.dotfiles.import': () => uploads.importFolder(),
    'spoon.dotfiles.refresh': () => current.require().dotfiles.refresh(),
    'spoon.dotfiles.openByPath': () => edit.openByPath(),
    'spoon.dotfiles.openInExplorer': () => edit.openInExplorer(),
    'spoon.dotfiles.open': (node, nodes) => edit.open(some(node, nodes)),
    'spoon.dotfiles.openToSide': (node, nodes) => edit.open(some(node, nodes), vscode.ViewColumn.Beside),
    'spoon.dotfiles.reveal': (uri) => edit.reveal(urisOf(uri, undefined)[0]),
    'spoon.dotfiles.rename': (node) => edit.rename(one(node)),
    'spoon.dotfiles.duplicate': (node, nodes) => edit.duplicate(some(node, nodes)),
    'spoon.dotfiles.changeMode': (node, nodes) => changeMode(current, some(node, nodes)),
    'spoon.dotfiles.delete': (node, nodes) => remove.run(some(node, nodes)),
    'spoon.dotfiles.download': (node, nodes) => downloads.run(some(node, nodes)),
    'spoon.dotfiles.cut': (node, nodes) => clipboard.cut(some(node, nodes)),
    'spoon.dotfiles.copy': (node, nodes) => clipboard.copy(some(node, nodes)),
    'spoon.dotfiles.paste': (node) => clipboard.paste(one(node)),
    'spoon.dotfiles.copyPath': (node, nodes) => edit.copyPath(some(node, nodes)),
    'spoon.dotfiles.history': (target) => history.show(pathOfTarget(target)),
    'spoon.dotfiles.restoreVersion': () => history.restoreShown(),
    'spoon.dotfiles.restoreDeleted': () => history.restoreDeleted(),
    'spoon.dotfiles.compareWithLocal': (target) => compareWithLocal(current, pathOfTarget(target)),
    'spoon.dotfiles.compareWithHome': (target) => drift.compare(pathOfTarget(target)),
    'spoon.dotfiles.takeFromHome': (target, targets) => drift.take(pathsOfTargets(target, targets)),
    'spoon.dotfiles.restoreInHome': (target, targets) => drift.restore(pathsOfTargets(target, targets)),
    'spoon.dotfiles.mergeWithHome': (target) => drift.merge(pathOfTarget(target)),
    'spoon.dotfiles.layers': (target) => showLayers(current, drift, layersPath(target)),
    'spoon.dotfiles.turnOff': () => turnOff(current),
    'spoon.dotfiles.turnOn': () => turnOn(current),
  };
}

function nodeOf(argument: unknown): DotfileNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'path' in argument && !('scheme' in argument);
  return isNode && typeof argument.path === 'string' && argument.path !== '' ? { path: argument.path } : undefined;
}

function urisOf(first: unknown, all: unknown): vscode.Uri[] {
  return (Array.isArray(all) ? all : [first]).filter((uri) => uri instanceof vscode.Uri);
}
