import * as vscode from 'vscode';
import type { Dotfile } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { defaultFileMode, expectedFileMode } from '../../protocol/fileMode.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { maxFileBytes } from '../../protocol/limits.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { copyDotfiles } from './copyDotfiles.ts';
import type { IndexChange } from './dotfileIndex.ts';
import { joinPath, parentOf } from './dotfileIndex.ts';
import { accountOf, dotfileScheme, dotfileUri, homePathOf, pathOf } from './dotfileUri.ts';
import type { EditorMoves } from './editorMoves.ts';
import { fileSystemError } from './fileSystemError.ts';
import type { HomeDotfiles } from './homeDotfiles.ts';
import { equalBytes, planSave, type SeenVersion } from './saveConflict.ts';
import { askAboutConflict } from './saveConflictQuestion.ts';
import { type SecretNudge, suspectIn } from './secretNudge.ts';

interface ReadVersion extends SeenVersion {
  /** Kept to tell a real change from a mere touch when the size is the same. */
  readonly bytes: Uint8Array;
}

/**
 * `spoon-dotfiles:` for the normal editor and the Explorer. Times and sizes are the service's; a save is one request,
 * conditional on the version that VS Code has just checked, so that two windows never lose each other's work unseen.
 */
export class DotfilesFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #nudge: SecretNudge;
  readonly #moves: EditorMoves;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #disposables: vscode.Disposable[] = [];
  /** What this window read or wrote last, by URI. */
  readonly #read = new Map<string, ReadVersion>();
  /** What VS Code was last told, and so has compared its own with. */
  readonly #checked = new Map<string, SeenVersion>();
  readonly #writing = new Map<string, number>();
  readonly #watches = new Set<{ readonly prefix: string; readonly isRecursive: boolean }>();
  #following: vscode.Disposable | undefined;
  readonly onDidChangeFile = this.#changed.event;

  constructor(current: CurrentConnection, nudge: SecretNudge, moves: EditorMoves) {
    this.#current = current;
    this.#nudge = nudge;
    this.#moves = moves;
    this.#disposables.push(
      this.#changed,
      current.onDidChange((connection) => this.#follow(connection)),
      vscode.workspace.registerFileSystemProvider(dotfileScheme, this, { isCaseSensitive: true }),
    );
  }

  watch(uri: vscode.Uri, options: { readonly recursive: boolean }): vscode.Disposable {
    const watch = { prefix: uri.toString(), isRecursive: options.recursive };
    this.#watches.add(watch);
    return new vscode.Disposable(() => this.#watches.delete(watch));
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { dotfiles } = await this.#connectionFor(uri);
    const key = uri.toString();
    const entry = dotfiles.entry(pathOf(uri));
    if (entry === undefined) {
      this.#checked.delete(key);
      throw vscode.FileSystemError.FileNotFound(uri);
    }
    const { dotfile, kind } = entry;
    if (dotfile === undefined)
      return { type: vscode.FileType.Directory, ctime: 0, mtime: newest(dotfiles, entry.path), size: 0 };
    this.#checked.set(key, dotfile);
    const times = { ctime: dotfile.createdMs, mtime: dotfile.modifiedMs };
    if (kind === 'directory') return { ...times, type: vscode.FileType.Directory, size: 0 };
    if (kind === 'file') return { ...times, type: vscode.FileType.File, size: dotfile.size };
    // A link's content is its target: worth seeing, too easily broken by typing.
    const type = vscode.FileType.SymbolicLink | vscode.FileType.File;
    return { ...times, type, size: dotfile.size, permissions: vscode.FilePermission.Readonly };
  }

  async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const { dotfiles } = await this.#connectionFor(uri);
    const path = pathOf(uri);
    const entry = dotfiles.entry(path);
    if (entry === undefined) throw vscode.FileSystemError.FileNotFound(uri);
    if (entry.kind !== 'directory') throw vscode.FileSystemError.FileNotADirectory(uri);
    return dotfiles.children(path).map(({ name, kind }) => [name, fileTypes[kind]]);
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return await this.#guard(uri, async ({ dotfiles }) => {
      const entry = dotfiles.entry(pathOf(uri));
      if (entry === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      if (entry.kind === 'directory') throw vscode.FileSystemError.FileIsADirectory(uri);
      const { bytes, etag } = await dotfiles.read(homePathOf(uri));
      this.#read.set(uri.toString(), { etag, size: bytes.length, bytes });
      return bytes;
    });
  }

  async writeFile(
    uri: vscode.Uri,
    content: Uint8Array,
    options: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<void> {
    await this.#guard(uri, async (connection) => {
      const path = homePathOf(uri);
      const entry = connection.dotfiles.entry(path);
      if (entry?.kind === 'directory') throw vscode.FileSystemError.FileIsADirectory(uri);
      if (entry === undefined && !options.create) throw vscode.FileSystemError.FileNotFound(uri);
      if (entry !== undefined && options.create && !options.overwrite) throw vscode.FileSystemError.FileExists(uri);
      requireFolder(connection.dotfiles, uri, path);
      // Before it is sent: a service that refuses it cuts the connection, which would look like something else.
      if (content.length > maxFileBytes) throw new SpoonError('body-too-large');
      await this.#save(connection, { uri, path, content, exists: entry !== undefined });
    });
  }

  async createDirectory(uri: vscode.Uri): Promise<void> {
    await this.#guard(uri, async ({ dotfiles }) => {
      const path = homePathOf(uri);
      if (dotfiles.entry(path) !== undefined) throw vscode.FileSystemError.FileExists(uri);
      requireFolder(dotfiles, uri, path);
      await dotfiles.save(path, new Uint8Array(), { base: 'create', kind: 'directory' });
    });
  }

  async delete(uri: vscode.Uri, options: { readonly recursive: boolean }): Promise<void> {
    if (this.#moves.isReplaced(uri)) return;
    await this.#guard(uri, async ({ dotfiles }) => {
      const path = homePathOf(uri);
      const entry = dotfiles.entry(path);
      if (entry === undefined) throw vscode.FileSystemError.FileNotFound(uri);
      const isFolder = entry.kind === 'directory';
      if (isFolder && !options.recursive && dotfiles.children(path).length > 0) {
        throw vscode.FileSystemError.NoPermissions(vscode.l10n.t('The folder is not empty.'));
      }
      await dotfiles.remove(path, { recursive: isFolder });
    });
  }

  async rename(from: vscode.Uri, to: vscode.Uri, options: { readonly overwrite: boolean }): Promise<void> {
    if (from.authority !== to.authority)
      throw vscode.FileSystemError.NoPermissions(vscode.l10n.t('Copy it to another account instead.'));
    await this.#guard(to, async ({ dotfiles }) => {
      if (dotfiles.entry(pathOf(from)) === undefined) throw vscode.FileSystemError.FileNotFound(from);
      requireFolder(dotfiles, to, pathOf(to));
      await this.#moves.watch(to, () => dotfiles.move(homePathOf(from), homePathOf(to), options));
    });
  }

  /** Within one account. */
  async copy(from: vscode.Uri, to: vscode.Uri, options: { readonly overwrite: boolean }): Promise<void> {
    await this.#guard(to, async ({ dotfiles }) => {
      const source = dotfiles.entry(pathOf(from));
      if (source === undefined) throw vscode.FileSystemError.FileNotFound(from);
      if (dotfiles.entry(pathOf(to)) !== undefined && !options.overwrite) throw vscode.FileSystemError.FileExists(to);
      requireFolder(dotfiles, to, pathOf(to));
      if (pathOf(to).startsWith(`${source.path}/`))
        throw vscode.FileSystemError.NoPermissions(vscode.l10n.t('A folder cannot go into itself.'));
      await copyDotfiles(dotfiles, source.path, pathOf(to));
    });
  }

  dispose(): void {
    this.#following?.dispose();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  async #save(
    connection: Connection,
    file: { uri: vscode.Uri; path: HomePath; content: Uint8Array; exists: boolean },
  ): Promise<void> {
    const { uri, path, content } = file;
    const key = uri.toString();
    const known = this.#read.get(key);
    const plan = planSave(known, file.exists ? this.#checked.get(key) : undefined);
    if (plan.kind === 'compare') await this.#settleConflict(connection, { uri, path, content, known });
    try {
      const base = plan.kind === 'create' ? ('create' as const) : plan;
      const mode = modeOfFirstContent(connection.dotfiles.entry(path)?.dotfile, path, content);
      const save = () => connection.dotfiles.save(path, content, { base, ...mode });
      const { dotfile } = await this.#whileWriting(key, save);
      this.#read.set(key, { ...dotfile, bytes: content });
      this.#checked.set(key, dotfile);
      this.#nudge.tell(connection, [suspectIn(path, content)]);
    } catch (error) {
      if (!(error instanceof SpoonError) || !['version-stale', 'file-exists'].includes(error.code)) throw error;
      // Between VS Code's check and the save. With the list brought up to date, the next save finds it and asks.
      await connection.dotfiles.refresh();
      throw new SpoonError('version-stale', vscode.l10n.t('It changed on {0} while saving.', connection.host));
    }
  }

  async #whileWriting<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#writing.set(key, (this.#writing.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const writing = (this.#writing.get(key) ?? 1) - 1;
      if (writing === 0) this.#writing.delete(key);
      else this.#writing.set(key, writing);
    }
  }

  /** Changed elsewhere to a content of the same size. Asks only when something would really be lost. */
  async #settleConflict(
    { dotfiles, session }: Connection,
    file: { uri: vscode.Uri; path: HomePath; content: Uint8Array; known: ReadVersion | undefined },
  ): Promise<void> {
    const theirs = await dotfiles.read(file.path);
    if (file.known !== undefined && equalBytes(theirs.bytes, file.known.bytes)) return;
    if (equalBytes(theirs.bytes, file.content)) return;
    await askAboutConflict({ uri: file.uri, account: accountOf(session), path: file.path, version: theirs.version });
  }

  async #guard<T>(uri: vscode.Uri, work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      const connection = await this.#connectionFor(uri);
      connection.requireReachable();
      return await work(connection);
    } catch (error) {
      throw fileSystemError(error, uri);
    }
  }

  /** @throws FileSystemError when the file's account is not the one that is signed in, or nothing is known of it yet */
  async #connectionFor(uri: vscode.Uri): Promise<Connection> {
    try {
      await this.#current.settled;
      const connection = this.#current.require();
      if (accountOf(connection.session) !== uri.authority) {
        throw new SpoonError('unauthenticated', vscode.l10n.t('This file belongs to another account.'));
      }
      await connection.dotfiles.whenListed();
      return connection;
    } catch (error) {
      throw fileSystemError(error, uri);
    }
  }

  #follow(connection: Connection | undefined): void {
    this.#following?.dispose();
    this.#following = connection?.dotfiles.onDidChange((change) =>
      this.#announce(accountOf(connection.session), change),
    );
  }

  #announce(account: string, { created, changed, deleted }: IndexChange): void {
    const events = [
      ...created.map((path) => ({ type: vscode.FileChangeType.Created, uri: dotfileUri(account, path) })),
      ...changed.map((path) => ({ type: vscode.FileChangeType.Changed, uri: dotfileUri(account, path) })),
      ...deleted.map((path) => ({ type: vscode.FileChangeType.Deleted, uri: dotfileUri(account, path) })),
    ];
    // What is being written here is the echo of it: an editor that is told would look again in the middle of its save.
    const news = events.filter(({ uri }) => !this.#writing.has(uri.toString()) && this.#isWatched(uri));
    if (news.length > 0) this.#changed.fire(news);
  }

  #isWatched(uri: vscode.Uri): boolean {
    const text = uri.toString();
    const parent = text.slice(0, text.lastIndexOf('/'));
    for (const { prefix, isRecursive } of this.#watches) {
      const folder = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
      if (text === folder || parent === folder || (isRecursive && text.startsWith(`${folder}/`))) return true;
    }
    return false;
  }
}

const fileTypes = {
  file: vscode.FileType.File,
  symlink: vscode.FileType.SymbolicLink | vscode.FileType.File,
  directory: vscode.FileType.Directory,
} as const;

/** A new file starts empty, so whether it is a script shows only when it is written for the first time. */
function modeOfFirstContent(before: Dotfile | undefined, path: HomePath, content: Uint8Array): { mode?: number } {
  return before?.size === 0 && before.mode === defaultFileMode ? { mode: expectedFileMode(path, content) } : {};
}

/** The provider makes no folders on the way: `workspace.fs.createDirectory` does, and "New Dotfile…" needs none. */
function requireFolder(dotfiles: HomeDotfiles, uri: vscode.Uri, path: string): void {
  const parent = dotfiles.entry(parentOf(path));
  const folder = uri.with({ path: joinPath('/', parentOf(path)) });
  if (parent === undefined) throw vscode.FileSystemError.FileNotFound(folder);
  if (parent.kind !== 'directory') throw vscode.FileSystemError.FileNotADirectory(folder);
}

function newest(dotfiles: HomeDotfiles, folder: string): number {
  return dotfiles.below(folder).reduce((latest, { modifiedMs }) => Math.max(latest, modifiedMs), 0);
}
