import * as vscode from 'vscode';
import type { Session, Sessions } from './sessions.ts';

/** Puts the sign-ins into VS Code's own Accounts menu, where they can be ended. */
export class SpoonAuthenticationProvider implements vscode.AuthenticationProvider, vscode.Disposable {
  readonly #sessions: Sessions;
  readonly #signIn: () => Promise<Session>;
  readonly #signOut: (session: Session) => Promise<void>;
  readonly #changed = new vscode.EventEmitter<vscode.AuthenticationProviderAuthenticationSessionsChangeEvent>();
  readonly #disposables: vscode.Disposable[];
  readonly onDidChangeSessions = this.#changed.event;
  #known = new Map<string, vscode.AuthenticationSession>();

  constructor(
    sessions: Sessions,
    ways: { signIn: () => Promise<Session>; signOut: (session: Session) => Promise<void> },
  ) {
    this.#sessions = sessions;
    this.#signIn = ways.signIn;
    this.#signOut = ways.signOut;
    this.#disposables = [
      this.#changed,
      sessions.onDidChange(() => this.#announce()),
      vscode.authentication.registerAuthenticationProvider('spoon', 'Spoon', this, { supportsMultipleAccounts: true }),
    ];
  }

  async getSessions(
    _scopes?: readonly string[],
    options?: vscode.AuthenticationProviderSessionOptions,
  ): Promise<vscode.AuthenticationSession[]> {
    const sessions = (await this.#sessions.list()).map(toAuthenticationSession);
    this.#known = new Map(sessions.map((session) => [session.id, session]));
    const wanted = options?.account?.id;
    return wanted === undefined ? sessions : sessions.filter(({ account }) => account.id === wanted);
  }

  async createSession(): Promise<vscode.AuthenticationSession> {
    return toAuthenticationSession(await this.#signIn());
  }

  async removeSession(id: string): Promise<void> {
    const session = (await this.#sessions.list()).find((candidate) => toAuthenticationSession(candidate).id === id);
    if (session !== undefined) await this.#signOut(session);
  }

  dispose(): void {
    vscode.Disposable.from(...this.#disposables).dispose();
  }

  async #announce(): Promise<void> {
    const before = this.#known;
    const now = new Map((await this.getSessions()).map((session) => [session.id, session]));
    const added = [...now.values()].filter(({ id }) => !before.has(id));
    const removed = [...before.values()].filter(({ id }) => !now.has(id));
    const changed = [...now.values()].filter(({ id, accessToken }) => {
      const known = before.get(id);
      return known !== undefined && known.accessToken !== accessToken;
    });
    if (added.length + removed.length + changed.length > 0) this.#changed.fire({ added, removed, changed });
  }
}

function toAuthenticationSession(session: Session): vscode.AuthenticationSession {
  const { host } = new URL(session.url);
  return {
    id: `${session.userId}@${session.url}`,
    accessToken: session.token,
    account: { id: `${session.userId}@${session.instanceId}`, label: `${session.displayName} (${host})` },
    scopes: [],
  };
}
