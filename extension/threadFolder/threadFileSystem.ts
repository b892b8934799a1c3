import * as vscode from 'vscode';
import { FileWatch } from '../../client/fileWatch.ts';
import { type FileBase, HomeFilesApi } from '../../client/homeFilesApi.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { FileChange, FileStat } from '../../protocol/homeFiles.ts';
import { maxEditedFileBytes } from '../../protocol/limits.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { accountOf, pathOf } from '../dotfiles/dotfileUri.ts';
import { equalBytes, planSave, type SeenVersion } from '../dotfiles/saveConflict.ts';
import type { Log } from '../outputLog.ts';
import { AbsentPaths } from './absentPaths.ts';
import { askAboutBoxConflict } from './boxConflictQuestion.ts';
import { onReachable, refreshExplorer } from './reachable.ts';
import { requireSameHome, threadFileError } from './threadFileError.ts';
import { changeTypes, toVscodeStat, typeOf } from './threadFileStat.ts';
import { threadScheme, threadUri } from './threadUri.ts';
import { WatchedPaths } from './watchedPaths.ts';

interface ReadVersion extends SeenVersion {
  readonly bytes: Uint8Array;
}

interface Open {
  readonly connection: Connection;
  readonly account: string;
  readonly files: HomeFilesApi;
  readonly watch: FileWatch;
  readonly subscription: vscode.Disposable;
}

/**
 * `spoon-thread:`, the checkouts in the box, for the editor and the Explorer. Sizes and times are those of the disk; a save
 * is one request, conditional on the version that VS Code has just checked. Nothing here starts a box.
 */
export class ThreadFileSystem implements vscode.FileSystemProvider, vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly #disposables: vscode.Disposable[];
  readonly #watched = new WatchedPaths();
  readonly #absent = new AbsentPaths();
  /** What this window read or wrote last; what VS Code was told last, and so has compared its own with. By path. */
  readonly #read = new Map<string, ReadVersion>();
  readonly #checked = new Map<string, SeenVersion>();
  readonly #writing = new Set<string>();
  #open: Open | undefined;
  readonly onDidChangeFile = this.#changed.event;

  constructor(current: CurrentConnection, log: Log) {
    this.#current = current;
    this.#log = log;
    this.#disposables = [
      this.#changed,
      current.onDidChange((connection) => this.#follow(connection)),
      vscode.workspace.registerFileSystemProvider(threadScheme, this, { isCaseSensitive: true }),
    ];
  }

  watch(uri: vscode.Uri, { recursive }: { readonly recursive: boolean }): vscode.Disposable {
    const path = pathOf(uri);
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    // A single file is watched by its folder: a save replaces the file, and its own watch would end with the old one.
    const takeBack = [this.#watched.add({ path, recursive })];
    if (!recursive) takeBack.push(this.#watched.add({ path: parent, recursive: false }));
    this.#follow(this.#current.connection);
    this.#watchAll();
    return new vscode.Disposable(() => {
      for (const back of takeBack) back();
      this.#watchAll();
    });
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const path = pathOf(uri);
    if (this.#absent.has(path)) throw vscode.FileSystemError.FileNotFound(uri);
    return await this.#guard(uri, async ({ files }) => {
      try {
        return this.#told(path, await files.stat(path));
      } catch (error) {
        this.#checked.delete(path);
        if (error instanceof SpoonError && error.code === 'not-found' && this.#watched.covers(path)) {
          this.#absent.add(path);
        }
        throw error;
      }
    });
  }

  async readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    const path = pathOf(uri);
    return await this.#guard(uri, async ({ files }) => {
      const { entries, truncated } = await files.list(path);
      if (truncated) this.#log.warn(`a folder has more than ${entries.length} entries; the rest is not shown`);
      return entries.map(({ name, kind, isLink }) => [name, typeOf(kind, isLink)]);
    });
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    const path = pathOf(uri);
    return await this.#guard(uri, async ({ files }) => {
      const { bytes, version } = await files.read(path);
      this.#read.set(path, { etag: version, size: bytes.length, bytes });
      return bytes;
    });
  }

  async writeFile(
    uri: vscode.Uri,
    content: Uint8Array,
    { create, overwrite }: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<void> {
    const path = pathOf(uri);
    await this.#guard(uri, async (open) => {
      if (content.length > maxEditedFileBytes) throw new SpoonError('body-too-large');
      // VS Code has looked just before; for others, such as `workspace.fs`, it is looked at now.
      if (!this.#checked.has(path) && !this.#absent.has(path)) await this.#look(open.files, path);
      const exists = this.#checked.has(path);
      if (!exists && !create) throw vscode.FileSystemError.FileNotFound(uri);
      if (exists && create && !overwrite) throw vscode.FileSystemError.FileExists(uri);
      await this.#save(open, { uri, path, content });
    });
  }

  async createDirectory(uri: vscode.Uri): Promise<void> {
    await this.#change(uri, ({ files }, path) => files.createFolder(path));
  }

  async delete(uri: vscode.Uri, { recursive }: { readonly recursive: boolean }): Promise<void> {
    await this.#change(uri, ({ files }, path) => files.remove(path, recursive));
  }

  async rename(from: vscode.Uri, to: vscode.Uri, { overwrite }: { readonly overwrite: boolean }): Promise<void> {
    requireSameHome(from, to);
    await this.#change(to, ({ files }, path) => files.move({ from: pathOf(from), to: path, overwrite }));
    this.#forget(pathOf(from));
  }

  async copy(from: vscode.Uri, to: vscode.Uri, { overwrite }: { readonly overwrite: boolean }): Promise<void> {
    requireSameHome(from, to);
    await this.#change(to, ({ files }, path) => files.copy({ from: pathOf(from), to: path, overwrite }));
  }

  /** The machine woke up. */
  renew(): void {
    this.#open?.watch.renew();
  }

  dispose(): void {
    this.#close();
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  async #save(
    { files, connection }: Open,
    file: { uri: vscode.Uri; path: string; content: Uint8Array },
  ): Promise<void> {
    const { uri, path, content } = file;
    const known = this.#read.get(path);
    const plan = planSave(known, this.#checked.get(path));
    if (plan.kind === 'compare' && known !== undefined) {
      const theirs = await files.read(path);
      // Touched, or written with what it had: nothing is lost.
      if (!equalBytes(theirs.bytes, known.bytes) && !equalBytes(theirs.bytes, content)) await askAboutBoxConflict(uri);
    }
    this.#writing.add(path);
    try {
      const base: FileBase = plan.kind === 'create' ? 'create' : { version: plan.etag };
      const stat = await files.write(path, content, base);
      this.#absent.forget(path);
      this.#read.set(path, { etag: stat.version, size: content.length, bytes: content });
      this.#told(path, stat);
    } catch (error) {
      if (!(error instanceof SpoonError) || !['version-stale', 'file-exists'].includes(error.code)) throw error;
      // Between VS Code's look and the save. The next save looks again, finds it, and asks.
      this.#checked.delete(path);
      this.#absent.forget(path);
      this.#changed.fire([{ type: vscode.FileChangeType.Changed, uri }]);
      throw new SpoonError(
        'version-stale',
        vscode.l10n.t('It changed in the box of {0} while saving.', connection.host),
      );
    } finally {
      this.#writing.delete(path);
    }
  }

  async #change(uri: vscode.Uri, work: (open: Open, path: string) => Promise<unknown>): Promise<void> {
    const path = pathOf(uri);
    await this.#guard(uri, async (open) => {
      await work(open, path);
      this.#forget(path);
    });
  }

  #forget(path: string): void {
    this.#absent.forget(path);
    this.#checked.delete(path);
    this.#read.delete(path);
  }

  async #look(files: HomeFilesApi, path: string): Promise<void> {
    try {
      this.#told(path, await files.stat(path));
    } catch (error) {
      if (!(error instanceof SpoonError && error.code === 'not-found')) throw error;
    }
  }

  #told(path: string, stat: FileStat): vscode.FileStat {
    if (stat.kind === 'file') this.#checked.set(path, { etag: stat.version, size: stat.size });
    return toVscodeStat(stat);
  }

  async #guard<T>(uri: vscode.Uri, work: (open: Open) => Promise<T>): Promise<T> {
    try {
      // VS Code asks for the folder before anything else, and gives it up for good when it is told that nobody is signed in.
      await this.#current.settled;
      const connection = this.#current.require();
      if (accountOf(connection.session) !== uri.authority) {
        throw new SpoonError('unauthenticated', vscode.l10n.t('This folder belongs to another account.'));
      }
      connection.requireReachable();
      this.#follow(connection);
      if (this.#open === undefined) throw new SpoonError('service-unreachable');
      return await work(this.#open);
    } catch (error) {
      throw threadFileError(error, uri);
    }
  }

  #follow(connection: Connection | undefined): void {
    if (connection === this.#open?.connection) return;
    this.#close();
    if (connection === undefined) return;
    const listener = {
      onChanges: (changes: readonly FileChange[]) => this.#announce(changes),
      onGap: () => this.#lookAgain(),
      onIncomplete: () =>
        this.#log.warn('more folders than can be watched: some changes in the box show only after a refresh'),
    };
    this.#open = {
      connection,
      account: accountOf(connection.session),
      files: new HomeFilesApi(connection.api),
      watch: new FileWatch({ ...connection.terminals, listener }),
      subscription: onReachable(connection, () => {
        this.#open?.watch.renew();
        this.#lookAgain();
        refreshExplorer();
      }),
    };
    this.#watchAll();
  }

  #close(): void {
    this.#open?.subscription.dispose();
    this.#open?.watch.close();
    this.#open = undefined;
    this.#absent.clear();
    this.#checked.clear();
  }

  #watchAll(): void {
    this.#open?.watch.watch(this.#watched.folders());
  }

  #announce(changes: readonly FileChange[]): void {
    const { account } = this.#open ?? {};
    if (account === undefined) return;
    const events: vscode.FileChangeEvent[] = [];
    for (const { path, kind, version } of changes) {
      this.#absent.forget(path);
      // The echo of a save of this window: an editor that is told of it would look again in the middle of it.
      if (this.#writing.has(path) || (version !== undefined && version === this.#read.get(path)?.etag)) continue;
      if (this.#watched.covers(path)) events.push({ type: changeTypes[kind], uri: threadUri(account, path) });
    }
    if (events.length > 0) this.#changed.fire(events);
  }

  /** Whatever is shown may be old. */
  #lookAgain(): void {
    this.#absent.clear();
    const { account } = this.#open ?? {};
    if (account === undefined) return;
    const paths = new Set([...this.#watched.folders().map(({ path }) => path), ...this.#read.keys()]);
    const type = vscode.FileChangeType.Changed;
    this.#changed.fire([...paths].map((path) => ({ type, uri: threadUri(account, path) })));
  }
}
