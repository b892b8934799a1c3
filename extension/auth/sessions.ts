import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import * as vscode from 'vscode';

/**
 * Who is signed in where: one secret per service, so that two windows never write over each other's sign-in, and one that
 * names the service in use. SecretStorage tells all windows of a change, so they follow each other.
 */

export const Session = Type.Object({
  /** Canonical, as `parseServiceUrl` gives it; also the key of the session. */
  url: Type.String(),
  token: Type.String(),
  instanceId: Type.String(),
  userId: Type.String(),
  username: Type.String(),
  displayName: Type.String(),
  /**
   * When the token ends that a sign-in with the browser has made, Unix time in milliseconds. Absent for one that was pasted or
   * handed over, or stored by an older version: others may use it, so that signing out does not end it.
   */
  signedInUntilMs: Type.Optional(Type.Number()),
});
export type Session = Static<typeof Session>;

const currentKey = 'spoon.current';
const listKey = 'spoon.services';
const sessionKey = (url: string): string => `spoon.session:${url}`;
const Urls = Type.Array(Type.String());

export class Sessions implements vscode.Disposable {
  readonly #secrets: vscode.SecretStorage;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscription: vscode.Disposable;
  /** Something was signed in or out, or another service was chosen, here or in another window. */
  readonly onDidChange = this.#changed.event;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
    this.#subscription = secrets.onDidChange(({ key }) => {
      if (key === currentKey || key === listKey || key.startsWith(sessionKey(''))) this.#changed.fire();
    });
  }

  async list(): Promise<Session[]> {
    const sessions = await Promise.all((await this.#urls()).map((url) => this.get(url)));
    return sessions.filter((session) => session !== undefined);
  }

  /** Undefined also where the secret is gone or cannot be read: without a keyring some systems lose them. */
  async get(url: string): Promise<Session | undefined> {
    const value = parse(await this.#secrets.get(sessionKey(url)));
    return Value.Check(Session, value) && value.url === url ? value : undefined;
  }

  async current(): Promise<Session | undefined> {
    const url = await this.#secrets.get(currentKey);
    return (url === undefined ? undefined : await this.get(url)) ?? (await this.list())[0];
  }

  /** Stores it and makes it the one in use. */
  async store(session: Session): Promise<void> {
    await this.#secrets.store(sessionKey(session.url), JSON.stringify(session));
    const urls = await this.#urls();
    if (!urls.includes(session.url)) await this.#secrets.store(listKey, JSON.stringify([...urls, session.url]));
    await this.select(session.url);
  }

  async select(url: string): Promise<void> {
    await this.#secrets.store(currentKey, url);
  }

  async remove(url: string): Promise<void> {
    const urls = await this.#urls();
    await this.#secrets.delete(sessionKey(url));
    await this.#secrets.store(listKey, JSON.stringify(urls.filter((other) => other !== url)));
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }

  async #urls(): Promise<string[]> {
    const value = parse(await this.#secrets.get(listKey));
    return Value.Check(Urls, value) ? value : [];
  }
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Damaged: the same as signed out, which a person can mend.
    return undefined;
  }
}
