import * as vscode from 'vscode';
import { SpoonError } from '../../protocol/errors.ts';
import type { Session, Sessions } from '../auth/sessions.ts';
import { failureText } from '../failure.ts';
import type { Network } from '../network.ts';
import type { Log } from '../outputLog.ts';
import { Connection } from './connection.ts';
import type { ConnectionState } from './connectionState.ts';

export type SignedState = ConnectionState | { readonly name: 'signedOut' };

/** The connection of the sign-in in use; follows sign-ins and sign-outs of every window. */
export class CurrentConnection implements vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #network: Network;
  readonly #log: Log;
  readonly #changed = new vscode.EventEmitter<Connection | undefined>();
  readonly #stateChanged = new vscode.EventEmitter<SignedState>();
  readonly #refused = new vscode.EventEmitter<{ session: Session; error: SpoonError }>();
  readonly #subscription: vscode.Disposable;
  /** By address. */
  readonly #tokens = new Map<string, string>();
  #connection: Connection | undefined;
  #following: Promise<void>;
  /** What was stored when the window started is taken up. */
  readonly ready: Promise<void>;
  /** As `ready`, and a sign-in that came with the window is taken up too: who is still signed out then stays so. */
  settled: Promise<void>;
  /** Another account is in use, or none. */
  readonly onDidChange = this.#changed.event;
  readonly onDidChangeState = this.#stateChanged.event;
  /** The service does not take the token any more; the sign-in is forgotten. */
  readonly onDidRefuse = this.#refused.event;

  constructor({ sessions, network, log }: { sessions: Sessions; network: Network; log: Log }) {
    this.#sessions = sessions;
    this.#network = network;
    this.#log = log;
    this.#subscription = sessions.onDidChange(() => void this.follow());
    // Not before whoever makes this can listen.
    this.#following = Promise.resolve().then(() => this.#followOnce());
    this.ready = this.#following;
    this.settled = this.ready;
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get state(): SignedState {
    return this.#connection?.state ?? { name: 'signedOut' };
  }

  /** @throws SpoonError `unauthenticated` when signed out */
  require(): Connection {
    if (this.#connection === undefined) throw new SpoonError('unauthenticated', 'Sign in to Spoon first.');
    return this.#connection;
  }

  /** Takes up what is stored now; calls run one after the other, and each waits for its own. */
  async follow(): Promise<void> {
    this.#following = this.#following.then(() => this.#followOnce());
    await this.#following;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#connection?.dispose();
    this.#changed.dispose();
    this.#stateChanged.dispose();
    this.#refused.dispose();
  }

  async #followOnce(): Promise<void> {
    try {
      const session = await this.#sessions.current();
      const current = this.#connection?.session;
      if (session?.url === current?.url && session?.token === current?.token) return;
      if (current !== undefined) this.#tokens.delete(current.url);
      if (session !== undefined) this.#tokens.set(session.url, session.token);
      this.#connection?.dispose();
      this.#connection = session === undefined ? undefined : await this.#open(session);
      this.#changed.fire(this.#connection);
      this.#stateChanged.fire(this.state);
      this.#connection?.open();
    } catch (error) {
      this.#log.error('sign-in could not be taken up:', failureText(error));
      void vscode.window.showErrorMessage(failureText(error));
    }
  }

  async #open(session: Session): Promise<Connection> {
    const token = (): string | undefined => this.#tokens.get(session.url);
    const connection = new Connection({ session, token, log: this.#log, ...(await this.#network()) });
    connection.onDidChangeState((state) => {
      this.#stateChanged.fire(state);
      if (state.name === 'refused') void this.#forget(session, state.error);
    });
    return connection;
  }

  async #forget(session: Session, error: SpoonError): Promise<void> {
    // Signed out or in anew elsewhere, which this window has yet to hear: not refused, and not its to forget.
    if ((await this.#sessions.get(session.url))?.token !== session.token) return this.follow();
    await this.#sessions.remove(session.url);
    this.#refused.fire({ session, error });
  }
}
