import * as vscode from 'vscode';
import { parseHomePath } from '../../protocol/homePath.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { pathOf, versionScheme } from './dotfileUri.ts';
import { fileSystemError } from './fileSystemError.ts';

/** Kept versions, and what the home has, as read-only files for comparisons: an image is shown as one. Not watched: looked at. */
export class VersionFiles implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #never = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #registration: vscode.Disposable;
  readonly onDidChangeFile = this.#never.event;

  constructor(current: CurrentConnection) {
    this.#current = current;
    const options = { isCaseSensitive: true, isReadonly: true };
    this.#registration = vscode.workspace.registerFileSystemProvider(versionScheme, this, options);
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { bytes, modifiedMs } = await this.#read(uri);
    return { type: vscode.FileType.File, ctime: modifiedMs, mtime: modifiedMs, size: bytes.length };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return (await this.#read(uri)).bytes;
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    return refuse(uri);
  }

  writeFile(uri: vscode.Uri): never {
    return refuse(uri);
  }

  delete(uri: vscode.Uri): never {
    return refuse(uri);
  }

  rename(uri: vscode.Uri): never {
    return refuse(uri);
  }

  dispose(): void {
    this.#registration.dispose();
    this.#never.dispose();
  }

  async #read(uri: vscode.Uri): Promise<{ readonly bytes: Uint8Array; readonly modifiedMs: number }> {
    try {
      await this.#current.settled;
      const [version = '', ...segments] = pathOf(uri).split('/');
      const { dotfiles } = this.#current.require();
      const path = parseHomePath(segments.join('/'));
      return await (version === 'home' ? dotfiles.readHome(path) : dotfiles.readVersion(path, Number(version)));
    } catch (error) {
      throw fileSystemError(error, uri);
    }
  }
}

function refuse(uri: vscode.Uri): never {
  throw vscode.FileSystemError.NoPermissions(uri);
}
