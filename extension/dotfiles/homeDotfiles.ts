import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { type DotfileContent, DotfilesApi } from '../../client/dotfilesApi.ts';
import type { FileToSave, SaveBase } from '../../client/saveMany.ts';
import type {
  Applied,
  BatchOutcome,
  DeletedDotfile,
  Dotfile,
  DotfileDrift,
  DotfileHistory,
  DotfileKind,
  DotfileTrouble,
  DriftList,
  RemovedDotfile,
  RestoredDrift,
  SaveResult,
} from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { LayerReport } from '../../protocol/layers.ts';
import { DotfileIndex, type Entry, type IndexChange, isEmptyChange, mergeChanges } from './dotfileIndex.ts';

/**
 * The dotfiles of one account as this window knows them: what the service said last, kept up to date by its events and by
 * what this window does itself. Never decides on a save: that is `dotfilesFileSystem.ts`.
 */
export class HomeDotfiles implements vscode.Disposable {
  readonly #api: DotfilesApi;
  readonly #index = new DotfileIndex();
  readonly #problems = new Map<string, Applied>();
  readonly #drifts = new Map<string, DotfileDrift>();
  readonly #changed = new vscode.EventEmitter<IndexChange>();
  readonly #problemsChanged = new vscode.EventEmitter<readonly string[]>();
  readonly #firstList = Promise.withResolvers<void>();
  #isListed = false;
  #refreshing: Promise<void> | undefined;
  #isStale = false;
  /** What changed since the list was asked for, which may not have it. */
  readonly #problemsSinceAsked = new Set<string>();
  readonly #sinceAsked: ((index: DotfileIndex) => IndexChange)[] = [];
  /** Fires after the change: what it names can be asked for. */
  readonly onDidChange = this.#changed.event;
  /** Paths whose {@link problem} or {@link drift} is another one now. */
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

  /** How the home differs from what Spoon has written there, by somebody's hand. */
  drift(path: string): DotfileDrift | undefined {
    return this.#drifts.get(path);
  }

  get drifted(): string[] {
    return [...this.#drifts.keys()];
  }

  /** Until the first list is there. @throws SpoonError why it cannot be had */
  async whenListed(): Promise<void> {
    if (!this.#isListed) await this.#firstList.promise;
  }

  /** Waiting any longer is in vain: whoever waits for the first list is told so. */
  fail(error: SpoonError): void {
    this.#firstList.reject(error);
  }

  /** Asks for the whole list; while that is under way, once more after it. @throws SpoonError */
  async refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#listUntilFresh().finally(() => {
        this.#refreshing = undefined;
      });
    } else this.#isStale = true;
    await this.#refreshing;
  }

  async read(path: HomePath): Promise<DotfileContent> {
    return await this.#api.read(path);
  }

  /** @param name the path, or the id of a removed dotfile */
  async readVersion(name: string | { readonly id: string }, version: number): Promise<DotfileContent> {
    return await this.#api.read(name, { version });
  }

  async readHome(path: HomePath): Promise<{ readonly bytes: Uint8Array; readonly modifiedMs: number }> {
    return await this.#api.readHome(path);
  }

  async layers(path: HomePath): Promise<LayerReport> {
    return await this.#api.layers(path);
  }

  /** What is in the home becomes the current version. @throws SpoonError `version-stale` when a newer one is there */
  async takeDrift(path: HomePath): Promise<void> {
    const etag = this.#index.get(path)?.dotfile?.etag;
    const { dotfile, applied } = await this.#api.takeDrift(path, etag === undefined ? {} : { etag });
    this.#setProblem(path, applied);
    this.#change((index) => (dotfile === null ? index.remove(path) : index.put(dotfile)));
  }

  /** The current version is written into the home, unless the box refuses it; what was there may be a version now. */
  async restoreDrift(path: HomePath): Promise<RestoredDrift> {
    const restored = await this.#api.restoreDrift(path);
    this.#setProblem(path, restored.applied);
    return restored;
  }

  async history(name: string | { readonly id: string }): Promise<DotfileHistory> {
    return await this.#api.history(name);
  }

  /** Older versions are gone for good. */
  async forget(path: HomePath, versions: readonly number[]): Promise<void> {
    await this.#api.forget(path, versions);
  }

  /** Removed, and not yet forgotten; the last one first. */
  async deleted(): Promise<readonly DeletedDotfile[]> {
    return await this.#api.deleted();
  }

  async save(
    path: HomePath,
    bytes: Uint8Array,
    options: { base: SaveBase; kind?: DotfileKind; mode?: number; origin?: 'editor' | 'import' },
  ): Promise<SaveResult> {
    return this.#take(await this.#api.save(path, bytes, { origin: 'editor', ...options }));
  }

  /** Any number of new files. @throws SpoonError when it cannot go on; `onOutcomes` has told what is in */
  async saveMany(files: readonly FileToSave[], onOutcomes: (outcomes: readonly BatchOutcome[]) => void): Promise<void> {
    await this.#api.saveMany(files, {
      origin: 'import',
      onOutcomes: (outcomes) => {
        const saved = outcomes.filter((outcome) => 'dotfile' in outcome);
        for (const { path, applied } of saved) this.#setProblem(path, applied);
        this.#change((index) => mergeChanges(saved.map(({ dotfile }) => index.put(dotfile))));
        onOutcomes(outcomes);
      },
    });
  }

  async setMode(path: HomePath, mode: number): Promise<void> {
    this.#take(await this.#api.setMode(path, mode, { origin: 'editor' }));
  }

  /** Makes an older version current, or brings a removed dotfile back. */
  async restore(
    name: string | { readonly id: string },
    options: { version?: number; etag?: string } = {},
  ): Promise<SaveResult> {
    return this.#take(await this.#api.restore(name, options));
  }

  /** What looks like a secret in it is fine. */
  async silence(path: string): Promise<void> {
    const dotfile = await this.#api.silence(path, true);
    this.#change((index) => index.put(dotfile));
  }

  /** @returns what is gone, by the names under which {@link restore} brings it back */
  async remove(path: HomePath, options: { recursive: boolean }): Promise<readonly RemovedDotfile[]> {
    const { dotfiles } = await this.#api.remove(path, options);
    this.#change((index) => index.remove(path));
    return dotfiles;
  }

  async move(from: HomePath, to: HomePath, options: { overwrite: boolean }): Promise<void> {
    const { dotfiles } = await this.#api.move(from, to, options);
    this.#change((index) => mergeChanges([index.remove(from), ...dotfiles.map((dotfile) => index.put(dotfile))]));
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'dotfile.saved') this.#change((index) => index.put(event.dotfile));
    else if (event.type === 'dotfile.removed') this.#change((index) => index.remove(event.path));
    else if (event.type === 'dotfile.moved') {
      this.#change((index) => mergeChanges([index.remove(event.from), index.put(event.dotfile)]));
    } else if (event.type === 'dotfile.applied') this.#setProblem(event.path, event.applied);
    else if (event.type === 'dotfile.drift') this.#setDrifts(event.drifts, event.cleared);
  }

  dispose(): void {
    this.fail(new SpoonError('service-unreachable', 'The connection was closed.'));
    this.#changed.dispose();
    this.#problemsChanged.dispose();
  }

  async #listUntilFresh(): Promise<void> {
    do {
      this.#isStale = false;
      await this.#list();
    } while (this.#isStale);
  }

  async #list(): Promise<void> {
    this.#sinceAsked.length = 0;
    this.#problemsSinceAsked.clear();
    const [listed, { drifts, troubles }] = await Promise.all([this.#api.list(), this.#listDrifts()]);
    const change = this.#index.replace(this.#withNews(listed));
    const cleared = this.drifted.filter((path) => !drifts.some((drift) => drift.path === path));
    this.#setDrifts(drifts, cleared);
    if (troubles !== undefined) this.#replaceProblems(troubles);
    const isFirst = !this.#isListed;
    this.#isListed = true;
    this.#firstList.resolve();
    // The first list is a change even when it is empty: from "not known" to "nothing there".
    if (isFirst) this.#changed.fire(change);
    else this.#announce(change);
  }

  /** Of an older service, or with a token that may not see it, nothing is known of the home, and all else works. */
  async #listDrifts(): Promise<Pick<DriftList, 'drifts' | 'troubles'>> {
    try {
      return await this.#api.drift();
    } catch (error) {
      if (error instanceof SpoonError && ['not-found', 'insufficient-scope'].includes(error.code))
        return { drifts: [] };
      throw error;
    }
  }

  /** The list, with what was heard while it was on its way: events and this window's own saves overtake it. */
  #withNews(listed: readonly Dotfile[]): readonly Dotfile[] {
    if (this.#sinceAsked.length === 0) return listed;
    const index = new DotfileIndex();
    index.replace(listed);
    for (const change of this.#sinceAsked) change(index);
    return index.all();
  }

  #change(change: (index: DotfileIndex) => IndexChange): void {
    if (this.#refreshing !== undefined) this.#sinceAsked.push(change);
    this.#announce(change(this.#index));
  }

  #take(result: SaveResult): SaveResult {
    this.#setProblem(result.dotfile.path, result.applied);
    this.#change((index) => index.put(result.dotfile));
    return result;
  }

  #announce(change: IndexChange): void {
    if (!isEmptyChange(change)) this.#changed.fire(change);
  }

  #setDrifts(drifts: readonly DotfileDrift[], cleared: readonly string[]): void {
    for (const path of cleared) this.#drifts.delete(path);
    for (const drift of drifts) this.#drifts.set(drift.path, drift);
    const paths = [...cleared, ...drifts.map(({ path }) => path)];
    if (paths.length > 0) this.#problemsChanged.fire(paths);
  }

  #replaceProblems(troubles: readonly DotfileTrouble[]): void {
    const listed = new Map(troubles.map(({ path, applied }) => [path, applied]));
    for (const path of new Set([...this.#problems.keys(), ...listed.keys()])) {
      if (!this.#problemsSinceAsked.has(path)) this.#setProblem(path, listed.get(path) ?? { state: 'applied' });
    }
  }

  #setProblem(path: string, applied: Applied): void {
    if (this.#refreshing !== undefined) this.#problemsSinceAsked.add(path);
    const isProblem = !['applied', 'boxOff', 'off'].includes(applied.state);
    if (!isProblem && !this.#problems.has(path)) return;
    if (isProblem) this.#problems.set(path, applied);
    else this.#problems.delete(path);
    this.#problemsChanged.fire([path]);
  }
}
