import { SpoonError } from '../../protocol/errors.ts';
import type { RemovedUser } from '../../protocol/identity.ts';
import type { Tokens } from './tokens.ts';
import type { Account, Users } from './users.ts';

export interface AccountsParts {
  readonly users: Users;
  readonly tokens: Tokens;
  /** Runs work on the account of one username after the other. */
  readonly inTurn: <T>(username: string, work: () => Promise<T>) => Promise<T>;
  /** What the user has approved and no program has fetched yet leads to nothing. */
  readonly endSignIns: (userId: string) => void;
  /** Ends the box and everything in it; it does not start again, also not for a request that is under way. */
  readonly blockBox: (userId: string) => Promise<void>;
  readonly unblockBox: (userId: string) => void;
  /** @returns false when that has to wait */
  readonly removeHome: (account: Account) => Promise<boolean>;
  /** Drops what is kept in memory of a user who is gone. */
  readonly forget: (userId: string) => void;
}

/** What an administrator does to the accounts of others: each ends with nothing of the old state in use any more. */
export class Accounts {
  readonly #parts: AccountsParts;

  constructor(parts: AccountsParts) {
    this.#parts = parts;
  }

  /** @throws SpoonError `not-found` */
  async named(username: string): Promise<Account> {
    const account = await this.#parts.users.byName(username);
    if (account === undefined) throw new SpoonError('not-found');
    return account;
  }

  /** @throws SpoonError `not-found`, `request-invalid` */
  async rename(username: string, displayName: string): Promise<Account> {
    await this.#parts.users.rename((await this.named(username)).id, displayName);
    return this.named(username);
  }

  /**
   * Tokens are revoked and what they opened is closed when this resolves; the password and an open invite are gone, the box has
   * ended. Dotfiles and home stay.
   * @throws SpoonError `not-found`; `engine-unavailable` where only the box could not be stopped
   */
  disable(username: string): Promise<Account> {
    return this.#parts.inTurn(username, () => this.#disable(username));
  }

  /** The old tokens stay revoked, and there is no password. @throws SpoonError `not-found` */
  enable(username: string): Promise<Account> {
    return this.#parts.inTurn(username, async () => {
      const { id } = await this.named(username);
      await this.#parts.users.enable(id);
      this.#parts.unblockBox(id);
      return this.named(username);
    });
  }

  /** @throws SpoonError `not-found`, `user-disabled` */
  promote(username: string): Promise<Account> {
    return this.#parts.inTurn(username, async () => {
      const { id, disabled } = await this.named(username);
      if (disabled) throw new SpoonError('user-disabled', 'Enable the user first.');
      await this.#parts.users.setAdmin(id, true);
      return this.named(username);
    });
  }

  /** Tokens of an administrator that the user has are revoked when this resolves; the user's own stay. @throws SpoonError `not-found` */
  demote(username: string): Promise<Account> {
    return this.#parts.inTurn(username, async () => {
      const { id } = await this.named(username);
      await this.#parts.users.setAdmin(id, false);
      await this.#parts.tokens.revokeAllOf(id, 'admin');
      return this.named(username);
    });
  }

  /**
   * For ever: the box first, for what runs in it may still write; then the keys, so that whatever a crash or a backup leaves
   * behind cannot be read; then the rows; then the home.
   * @param confirm the username, typed once more
   * @throws SpoonError `not-found`, `user-not-confirmed`; `engine-unavailable` when the box cannot be stopped: only disabled then
   */
  remove(username: string, confirm: string): Promise<RemovedUser> {
    return this.#parts.inTurn(username, async () => {
      const account = await this.named(username);
      if (confirm !== account.username) throw new SpoonError('user-not-confirmed');
      await this.#disable(username);
      await this.#parts.users.remove(account.id);
      this.#parts.forget(account.id);
      return { username, homeRemoved: await this.#parts.removeHome(account) };
    });
  }

  async #disable(username: string): Promise<Account> {
    const { id } = await this.named(username);
    await this.#parts.users.disable(id);
    this.#parts.endSignIns(id);
    await this.#parts.tokens.revokeAllOf(id);
    await this.#parts.blockBox(id);
    return this.named(username);
  }
}
