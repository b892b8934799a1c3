import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { RepositoryRun, RepositoryState } from '../../protocol/repository.ts';
import { isEarlier } from './repositoryText.ts';

/** The dotfiles repository of one account, as last heard of. */
export class HomeRepository implements vscode.Disposable {
  readonly #api: ApiClient;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #ended = new vscode.EventEmitter<RepositoryRun>();
  #state: RepositoryState | undefined;
  readonly onDidChange = this.#changed.event;
  /** A run that this window has seen running. */
  readonly onDidEnd = this.#ended.event;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  /** Undefined until the service has told. */
  get state(): RepositoryState | undefined {
    return this.#state;
  }

  /** @throws SpoonError */
  async refresh(): Promise<void> {
    try {
      this.take(await this.#api.call('repository'));
    } catch (error) {
      // An older service knows nothing of it, and this token may not see it.
      if (!(error instanceof SpoonError) || !['not-found', 'insufficient-scope'].includes(error.code)) throw error;
    }
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'repository.changed') this.take(event.repository);
  }

  take(state: RepositoryState): void {
    const before = this.#state?.run;
    // Events overtake the answer to a request: what it says of the run can be the past.
    if (before && state.run && isEarlier(state.run, before)) return;
    this.#state = state;
    this.#changed.fire();
    const { run } = state;
    if (before?.state === 'running' && run !== null && run.state !== 'running') this.#ended.fire(run);
  }

  dispose(): void {
    this.#changed.dispose();
    this.#ended.dispose();
  }
}
