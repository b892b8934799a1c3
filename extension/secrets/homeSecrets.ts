import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import type { Secret } from '../../protocol/secrets.ts';

/** `older`: this sign-in is of before there were secrets. `absent`: the service is. */
export type SecretsAccess = 'unknown' | 'listed' | 'older' | 'absent';

/** Several events of one act, such as an import, are one look. */
const settleMs = 100;

/** The names of one account's secrets and where they appear, as last heard of. A value is in no answer of the service. */
export class HomeSecrets implements vscode.Disposable {
  readonly #api: ApiClient;
  readonly #changed = new vscode.EventEmitter<void>();
  #secrets: readonly Secret[] = [];
  #access: SecretsAccess = 'unknown';
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly onDidChange = this.#changed.event;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  get access(): SecretsAccess {
    return this.#access;
  }

  /** By name; those for all threads before those of one spoon. */
  get list(): readonly Secret[] {
    return this.#secrets;
  }

  find(name: string, spoon: string | null): Secret | undefined {
    return this.#secrets.find((secret) => secret.name === name && secret.spoon === spoon);
  }

  /** @throws SpoonError, but for what {@link access} tells */
  async refresh(): Promise<void> {
    try {
      this.#take((await this.#api.call('listSecrets')).secrets, 'listed');
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      if (error.code === 'insufficient-scope') this.#take([], 'older');
      else if (error.code === 'not-found') this.#take([], 'absent');
      else throw error;
    }
  }

  /** For who need not know whether it could be asked; a failure is the connection's to show. */
  refreshSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => undefined);
    }, settleMs);
  }

  put(secret: Secret): void {
    const others = this.#secrets.filter((other) => keyOf(other) !== keyOf(secret));
    this.#take([...others, secret], 'listed');
  }

  async remove({ name, spoon }: Pick<Secret, 'name' | 'spoon'>): Promise<void> {
    await this.#api.call('removeSecret', { params: { name }, query: spoon === null ? {} : { spoon } });
    this.#take(
      this.#secrets.filter((secret) => secret.name !== name || secret.spoon !== spoon),
      'listed',
    );
  }

  receive(event: SpoonEvent): void {
    if (event.type === 'secrets.changed' && event.clientId !== this.#api.clientId) this.refreshSoon();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#changed.dispose();
  }

  #take(secrets: readonly Secret[], access: SecretsAccess): void {
    this.#secrets = secrets.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    this.#access = access;
    this.#changed.fire();
  }
}

/** One secret among those of an account. */
export function keyOf({ name, spoon }: Pick<Secret, 'name' | 'spoon'>): string {
  return `${name}\0${spoon ?? ''}`;
}
