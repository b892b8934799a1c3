import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { type DotfileContent, DotfilesApi } from '../../client/dotfilesApi.ts';
import type { SaveBase } from '../../client/saveMany.ts';
import type { Applied, DotfileKind, SaveResult } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { DotfileIndex, type Entry, type IndexChange, isEmptyChange, mergeChanges } from './dotfileIndex.ts';

/**
 * The dotfiles of one account as this window knows them: what the service said last, kept up to date by its events and by
 * what this window does itself. Never decides on a save: that is `dotfilesFileSystem.ts`.
 */
export class HomeDotfiles implements vscode.Disposable {
  readonly #api: DotfilesApi;
  readonly #index = new DotfileIndex();
  readonly #problems = new Map<string, Applied>();
  readonly #changed = new vscode.EventEmitter<IndexChange>();
  readonly #problemsChanged = new vscode.EventEmitter<readonly string[]>();
  readonly #firstList = Promise.withResolvers<void>();
  #isListed = false;
  #refreshing: Promise<void> | undefined;
  /** Fires after the change: what it names can be asked for. */
  readonly onDidChange = this.#changed.event;
  /** Paths whose {@link problem} is another one now. */
  readonly onDidChangeProblems = this.#problemsChanged.event;

  constructor(api: ApiClient) {
    this.#api = new DotfilesApi(api);
    // Awaited by whoever comes early; nobody may have.
    this.#firstList.promise.catch(() => undefined);
  }

  get isListed(): boolean {
    return this.#isListed;
  }

  get count(): number {
    return this.#index.size;
  }

  entry(path: string): Entry | undefined {
    return this.#index.get(path);
  }

  children(folder: string): Entry[] {
    return this.#index.children(folder);
  }

  /** Dotfiles at and below a path; for the empty path all of them. */
  below(path: string): ReturnType<DotfileIndex['below']> {
    return this.#index.below(path);
  }

  /** What keeps a saved file from being in the running box as it is stored. */
  problem(path: string): Applied | undefined {
    return this.#problems.get(path);
  }

  /** Until the first list is there. @throws SpoonError why it cannot be had */
  async whenListed(): Promise<void> {
    if (!this.#isListed) await this.#firstList.promise;
  }

  /** Waiting any longer is in vain: whoever waits for the first list is told so. */
  fail(error: SpoonError): void {
    this.#firstList.reject(error);
  }

  /** Asks for the whole list; calls while one is under way share it. @throws SpoonError */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#list().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async read(path: HomePath, signal?: AbortSignal): Promise<DotfileContent> {
    return await this.#api.read(path, signal === undefined ? {} : { signal });
  }

  async readVersion(path: HomePath, version: number): Promise<DotfileContent> {
    return await this.#api.read(path, { version });
  }

  async save(
    path: HomePath,
    bytes: Uint8Array,
    options: { base: SaveBase; kind?: DotfileKind; mode?: number; origin?: 'editor' | 'import'; signal?: AbortSignal },
  ): Promise<SaveResult> {
    const result = await this.#api.save(path, bytes, { origin: 'editor', ...options });
    this.#setProblem(path, result.applied);
    this.#announce(this.#index.put(result.dotfile));
    return result;
  }

  /** @returns how many dotfiles are gone */
  async remove(path: HomePath, options: { recursive: boolean; signal?: AbortSignal }): Promise<number> {
    const { removed } = await this.#api.remove(path, options);
    this.#announce(this.#index.remove(path));
    return removed;
  }

  async move(from: HomePath, to: HomePath, options: { overwrite: boolean; signal?: AbortSignal }): Promise<void> {
    const { dotfiles } = await this.#api.move(from, to, options);
    this.#announce(mergeChanges([this.#index.remove(from), ...dotfiles.map((dotfile) => this.#index.put(dotfile))]));
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'dotfile.saved') this.#announce(this.#index.put(event.dotfile));
    else if (event.type === 'dotfile.removed') this.#announce(this.#index.remove(event.path));
    else if (event.type === 'dotfile.moved') {
      this.#announce(mergeChanges([this.#index.remove(event.from), this.#index.put(event.dotfile)]));
    } else if (event.type === 'dotfile.applied') this.#setProblem(event.path, event.applied);
  }

  dispose(): void {
    this.fail(new SpoonError('service-unreachable', 'The connection was closed.'));
    this.#changed.dispose();
    this.#problemsChanged.dispose();
  }

  async #list(): Promise<void> {
    const dotfiles = await this.#api.list();
    const change = this.#index.replace(dotfiles);
    const isFirst = !this.#isListed;
    this.#isListed = true;
    this.#firstList.resolve();
    // The first list is a change even when it is empty: from "not known" to "nothing there".
    if (isFirst) this.#changed.fire(change);
    else this.#announce(change);
  }

  #announce(change: IndexChange): void {
    if (!isEmptyChange(change)) this.#changed.fire(change);
  }

  #setProblem(path: string, applied: Applied): void {
    const isProblem = applied.state !== 'applied' && applied.state !== 'boxOff';
    if (!isProblem && !this.#problems.has(path)) return;
    if (isProblem) this.#problems.set(path, applied);
    else this.#problems.delete(path);
    this.#problemsChanged.fire([path]);
  }
}
