import * as vscode from 'vscode';
import { parseToken } from '../../protocol/tokenFormat.ts';
import type { Session } from '../auth/sessions.ts';

const keyOf = ({ url, userId }: Pick<Session, 'url' | 'userId'>): string => `spoon.admin:${userId}@${url}`;

/** The tokens with which this user administers, one per service, apart from the sign-ins: they end within hours. */
export class AdminTokens implements vscode.Disposable {
  readonly #secrets: vscode.SecretStorage;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscription: vscode.Disposable;
  /** Here or in another window. */
  readonly onDidChange = this.#changed.event;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = secrets;
    this.#subscription = secrets.onDidChange(({ key }) => {
      if (key.startsWith('spoon.admin:')) this.#changed.fire();
    });
  }

  async get(session: Session): Promise<string | undefined> {
    return await this.#secrets.get(keyOf(session));
  }

  async store(session: Session, token: string): Promise<void> {
    await this.#secrets.store(keyOf(session), token);
  }

  /** @returns the id of the one that was there, for whoever ends it at the service */
  async remove(session: Session): Promise<string | undefined> {
    const token = await this.get(session);
    await this.#secrets.delete(keyOf(session));
    return parseToken(token ?? '')?.id;
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#changed.dispose();
  }
}
