import * as vscode from 'vscode';

/** Where a file is on the disk beside the extension; undefined when it is elsewhere, or in no file system. */
export function localPath(uri: vscode.Uri): string | undefined {
  if (uri.scheme === 'file') return uri.fsPath;
  // In the remote side's extension host, the window's own name for its files and the disk here are the same.
  const isHere = uri.scheme === 'vscode-remote' && isRemoteHost() && uri.authority === windowAuthority();
  return isHere ? uri.path : undefined;
}

function isRemoteHost(): boolean {
  return vscode.extensions.getExtension('spoon-dev.spoon')?.extensionKind === vscode.ExtensionKind.Workspace;
}

function windowAuthority(): string | undefined {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  return folder?.uri.scheme === 'vscode-remote' ? folder.uri.authority : vscode.env.remoteName;
}
