import * as vscode from 'vscode';
import type { FileKind, FileStat } from '../../protocol/homeFiles.ts';

/** What the box says of a file, in the terms of VS Code. */

export function toVscodeStat(stat: FileStat): vscode.FileStat {
  return {
    type: typeOf(stat.kind, stat.isLink),
    ctime: stat.createdMs,
    mtime: stat.modifiedMs,
    size: stat.size,
    ...(stat.isWritable ? {} : { permissions: vscode.FilePermission.Readonly }),
  };
}

export const changeTypes = {
  created: vscode.FileChangeType.Created,
  changed: vscode.FileChangeType.Changed,
  deleted: vscode.FileChangeType.Deleted,
} as const;

export function typeOf(kind: FileKind, isLink: boolean): vscode.FileType {
  const type =
    kind === 'file' ? vscode.FileType.File : kind === 'directory' ? vscode.FileType.Directory : vscode.FileType.Unknown;
  return isLink ? type | vscode.FileType.SymbolicLink : type;
}
