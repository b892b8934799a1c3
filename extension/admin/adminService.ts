import * as vscode from 'vscode';
import type { ApiClient } from '../../client/apiClient.ts';
import { endToken } from '../../client/endToken.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { Connection } from '../connection/connection.ts';
import type { CurrentConnection } from '../connection/currentConnection.ts';
import { setContext } from '../contextKeys.ts';
import { failureText } from '../failure.ts';
import type { Log } from '../outputLog.ts';
import type { AdminTokens } from './adminTokens.ts';
import type { ServiceFacts } from './serviceRows.ts';

/** After which it is asked once more who this is, where that failed: nothing else would. */
const againMs = 5_000;

/** The service as its administrator sees it, asked for when somebody looks: nothing tells of changes of others' things. */
export class AdminService implements vscode.Disposable {
  readonly #current: CurrentConnection;
  readonly #tokens: AdminTokens;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #disposables: vscode.Disposable[];
  #token: string | undefined;
  #facts: ServiceFacts | undefined;
  #asking: Promise<void> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  readonly onDidChange = this.#changed.event;

  constructor({ current, tokens, log }: { current: CurrentConnection; tokens: AdminTokens; log: Log }) {
    this.#current = current;
    this.#tokens = tokens;
    this.#log = log;
    this.#disposables = [
      this.#changed,
      tokens.onDidChange(() => void this.#follow()),
      current.onDidChange(() => {
        clearTimeout(this.#again);
        this.#facts = undefined;
        this.#token = undefined;
        setContext('spoon.isAdmin', false);
        this.#changed.fire();
      }),
      current.onDidChangeState(({ name }) => {
        if (name === 'connected') void this.#follow();
      }),
    ];
  }

  /** As last heard of; undefined before, and for who is not signed in as an administrator. */
  get facts(): ServiceFacts | undefined {
    return this.#facts;
  }

  get isSignedIn(): boolean {
    return this.#token !== undefined;
  }

  /** @throws SpoonError `not-an-admin` when not signed in as an administrator */
  get api(): ApiClient {
    if (this.#token === undefined) throw new SpoonError('not-an-admin', 'Sign in as an administrator first.');
    return this.#current.require().asOther(() => this.#token);
  }

  async signedIn(token: string): Promise<void> {
    await this.#tokens.store(this.#current.require().session, token);
  }

  async signOut(): Promise<void> {
    const { session, api } = this.#current.require();
    // Forgotten here either way; it ends by itself within hours.
    const id = await this.#tokens.remove(session);
    const failure = id === undefined ? undefined : await endToken(api, id);
    if (failure !== undefined) throw failure;
  }

  /** @throws SpoonError when the service did not answer; the view then shows what it had */
  async refresh(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    await this.#asking;
  }

  /** As {@link refresh}, for nobody in particular. */
  refreshSoon(): void {
    if (this.#token === undefined) return;
    this.refresh().catch((error: unknown) => this.#log.warn('the service view:', failureText(error)));
  }

  dispose(): void {
    clearTimeout(this.#again);
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  async #ask(): Promise<void> {
    const { session } = this.#current.require();
    const { api } = this;
    try {
      const [status, { users }, { boxes }, jobs] = await Promise.all([
        api.call('adminStatus'),
        api.call('adminListUsers'),
        api.call('adminListBoxes'),
        api.call('adminJobs'),
      ]);
      if (this.#current.connection?.session !== session) return;
      this.#facts = { status, users, boxes, jobs };
      this.#show('signedIn');
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      if (['unauthenticated', 'token-expired', 'user-disabled'].includes(error.code)) {
        await this.#tokens.remove(session);
        return;
      }
      if (this.#facts === undefined) this.#show('failed');
      throw error;
    }
  }

  /** Who is it, and are they signed in for this too. */
  async #follow(): Promise<void> {
    const { connection } = this.#current;
    if (connection === undefined) return;
    clearTimeout(this.#again);
    try {
      const { user } = await connection.api.call('me');
      if (this.#current.connection !== connection) return;
      // Said at once: the store of secrets may answer late.
      setContext('spoon.isAdmin', user?.admin === true);
      const token = await this.#tokens.get(connection.session);
      if (this.#current.connection !== connection) return;
      this.#take(connection, user?.admin === true, token);
    } catch (error) {
      this.#log.warn('whether you administer the service:', failureText(error));
      if (this.#current.connection === connection) this.#again = setTimeout(() => void this.#follow(), againMs);
    }
  }

  #take(connection: Connection, isAdmin: boolean, token: string | undefined): void {
    setContext('spoon.isAdmin', isAdmin);
    this.#token = isAdmin ? token : undefined;
    if (this.#token === undefined) {
      this.#facts = undefined;
      this.#show('signedOut');
      // No longer one: what is left of the token is of no use to anybody.
      if (token !== undefined) void this.#tokens.remove(connection.session);
      return;
    }
    this.refreshSoon();
  }

  #show(state: 'signedOut' | 'signedIn' | 'failed'): void {
    setContext('spoon.admin', state);
    this.#changed.fire();
  }
}
