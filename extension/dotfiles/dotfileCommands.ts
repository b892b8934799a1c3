import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
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
  const some = (args: readonly unknown[]): readonly DotfileNode[] => {
    requireRow(args);
    const [first, all] = args;
    if (first instanceof KeyTargets) return first.nodes;
    const nodes = (Array.isArray(all) ? all : [first]).map(nodeOf).filter((node) => node !== undefined);
    return nodes.length > 0 ? nodes : tree.selection;
  };
  const one = (args: readonly unknown[]): DotfileNode | undefined => some(args)[0];
  /** From the title of the view, too, where there is no row. */
  const place = (node: unknown): DotfileNode | undefined => nodeOf(node) ?? tree.selection[0];
  /** A node of the tree, the file of an editor's title, or from the palette the one in the editor. */
  const pathOfTarget = (args: readonly unknown[]): string | undefined => {
    requireRow(args);
    const [target] = args;
    if (target instanceof vscode.Uri) return dotfilePathOf(target);
    return nodeOf(target)?.path ?? dotfilePathOf(undefined) ?? tree.selection[0]?.path;
  };
  const pathsOfTargets = (args: readonly unknown[]): readonly string[] => {
    if (nodeOf(args[0]) !== undefined) return some(args).map(({ path }) => path);
    const path = pathOfTarget(args);
    return path === undefined ? [] : [path];
  };
  /** From the palette it asks: the file may be one that is no dotfile. */
  const layersPath = (args: readonly unknown[]): string | undefined => {
    requireRow(args);
    const [target] = args;
    return target instanceof vscode.Uri ? dotfilePathOf(target) : nodeOf(target)?.path;
  };
  return {
    'spoon.dotfiles.newFile': (node) => edit.newFile(place(node)),
    'spoon.dotfiles.newFolder': (node) => edit.newFolder(place(node)),
    'spoon.dotfiles.uploadFiles': (node) => uploads.uploadFiles(place(node)),
    'spoon.dotfiles.uploadFolder': (node) => uploads.uploadFolder(place(node)),
    'spoon.dotfiles.uploadResources': (uri, uris) => uploads.uploadUris(urisOf(uri, uris), ''),
    'spoon.dotfiles.import': () => uploads.importFolder(),
    'spoon.dotfiles.refresh': () => current.require().dotfiles.refresh(),
    'spoon.dotfiles.openByPath': () => edit.openByPath(),
    'spoon.dotfiles.openInExplorer': () => edit.openInExplorer(),
    'spoon.dotfiles.open': (...args) => edit.open(some(args)),
    'spoon.dotfiles.openToSide': (...args) => edit.open(some(args), vscode.ViewColumn.Beside),
    'spoon.dotfiles.reveal': (uri) => edit.reveal(urisOf(uri, undefined)[0]),
    'spoon.dotfiles.rename': (...args) => edit.rename(one(args)),
    'spoon.dotfiles.duplicate': (...args) => edit.duplicate(some(args)),
    'spoon.dotfiles.changeMode': (...args) => changeMode(current, some(args)),
    'spoon.dotfiles.delete': (...args) => remove.run(some(args)),
    'spoon.dotfiles.download': (...args) => downloads.run(some(args)),
    'spoon.dotfiles.cut': (...args) => clipboard.cut(some(args)),
    'spoon.dotfiles.copy': (...args) => clipboard.copy(some(args)),
    'spoon.dotfiles.paste': (...args) => clipboard.paste(one(args)),
    'spoon.dotfiles.copyPath': (...args) => edit.copyPath(some(args)),
    'spoon.dotfiles.history': (...args) => history.show(pathOfTarget(args)),
    'spoon.dotfiles.restoreVersion': () => history.restoreShown(),
    'spoon.dotfiles.restoreDeleted': () => history.restoreDeleted(),
    'spoon.dotfiles.compareWithLocal': (...args) => compareWithLocal(current, pathOfTarget(args)),
    'spoon.dotfiles.compareWithHome': (...args) => drift.compare(pathOfTarget(args)),
    'spoon.dotfiles.takeFromHome': (...args) => drift.take(pathsOfTargets(args)),
    'spoon.dotfiles.restoreInHome': (...args) => drift.restore(pathsOfTargets(args)),
    'spoon.dotfiles.mergeWithHome': (...args) => drift.merge(pathOfTarget(args)),
    'spoon.dotfiles.layers': (...args) => showLayers(current, drift, layersPath(args)),
    'spoon.dotfiles.turnOff': () => turnOff(current),
    'spoon.dotfiles.turnOn': () => turnOn(current),
  };
}

/**
 * While VS Code reads the tree anew, the menu of a row hands over nothing in its place; it must not mean what is selected or open.
 * @throws SpoonError `row-gone`
 */
function requireRow(args: readonly unknown[]): void {
  const [first, all] = args;
  const rows: readonly unknown[] = args.length === 0 ? [] : [first, ...(Array.isArray(all) ? all : [])];
  if (rows.some((row) => row === undefined || row === null)) throw new SpoonError('row-gone');
}

function nodeOf(argument: unknown): DotfileNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'path' in argument && !('scheme' in argument);
  return isNode && typeof argument.path === 'string' && argument.path !== '' ? { path: argument.path } : undefined;
}

function urisOf(first: unknown, all: unknown): vscode.Uri[] {
  return (Array.isArray(all) ? all : [first]).filter((uri) => uri instanceof vscode.Uri);
}
