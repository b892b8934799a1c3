import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import type { DotfilesSwitch, SwitchedDotfiles } from '../../protocol/dotfilesSwitch.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';

/** Ends a setup, or writes the whole overlay. */
const switchTimeoutMs = 180_000;

/** Whether the dotfiles of one account are applied at all, as last heard of. */
export class HomeSwitch implements vscode.Disposable {
  readonly #api: ApiClient;
  readonly #changed = new vscode.EventEmitter<void>();
  #state: DotfilesSwitch = { on: true, applied: true };
  readonly onDidChange = this.#changed.event;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get state(): DotfilesSwitch {
    return this.#state;
  }

  /** @throws SpoonError */
  async refresh(): Promise<void> {
    try {
      this.#take(await this.#api.call('dotfilesSwitch'));
    } catch (error) {
      // An older service knows nothing of it, and this token may not see it.
      if (!(error instanceof SpoonError) || !['not-found', 'insufficient-scope'].includes(error.code)) throw error;
    }
  }

  /** @throws SpoonError */
  async set(on: boolean): Promise<SwitchedDotfiles> {
    const switched = await this.#api.call('switchDotfiles', { body: { on }, timeoutMs: switchTimeoutMs });
    this.#take(switched);
    return switched;
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'dotfiles.switched') this.#take(event.dotfiles);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #take(state: DotfilesSwitch): void {
    this.#state = state;
    this.#changed.fire();
  }
}
