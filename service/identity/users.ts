import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { randomBase62 } from '../../protocol/tokenFormat.ts';
import { checkUsername, deriveUsername } from '../../protocol/username.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables, UserRow } from '../store/tables.ts';
import { deleteUserRows } from '../store/userRows.ts';

/** Accounts. A username and a uid are fixed for life and never given to another: a leftover file would fall to the next. */

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly uid: number;
  /** Absolute path in the box. */
  readonly shell: string;
  readonly createdMs: number;
  readonly disabled: boolean;
  /** May sign in as an administrator. */
  readonly admin: boolean;
}

export interface NewAccount {
  readonly displayName: string;
  readonly username?: string;
  readonly shell?: string;
  /** Instead of the display name, to make the username from. */
  readonly usernameFrom?: string;
}

export interface UsersParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** False: boxes run with the service's own uid, so there can be one user only (`security.md` decision 17). */
  readonly separatesUsers: boolean;
  readonly now?: () => number;
}

const firstUid = 100_001;
const idCharacters = 16;
const defaultShell = '/bin/bash';

export class Users {
  readonly #parts: UsersParts;
  readonly #now: () => number;

  constructor(parts: UsersParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  /**
   * @param also is done with it or not at all
   * @throws SpoonError `username-invalid`, `user-exists`, `single-user-only`, `request-invalid` for a shell or a name
   */
  async create(
    { displayName, username, usernameFrom, shell = defaultShell }: NewAccount,
    also: (trx: Transaction<Tables>, id: string) => Promise<void> = async () => undefined,
  ): Promise<Account> {
    const name = checkDisplayName(displayName);
    checkShell(shell);
    if (username !== undefined) checkUsername(username);
    const { store, keyring, separatesUsers } = this.#parts;
    const row = await store.transaction(async (trx) => {
      const rows = await trx.selectFrom('users').select('username').execute();
      if (!separatesUsers && rows.length > 0) throw new SpoonError('single-user-only');
      const former = await trx.selectFrom('former_users').select('username').execute();
      const taken = new Set([...rows, ...former].map((existing) => existing.username));
      if (username !== undefined && taken.has(username)) throw new SpoonError('user-exists');
      const id = randomBase62(idCharacters, randomBytes);
      await keyring.createDataKey(id, trx);
      const place = {
        id,
        username: username ?? deriveUsername(usernameFrom ?? name, (candidate) => taken.has(candidate)),
        uid: await this.#allocateUid(trx, id),
        shell,
      };
      const user: UserRow = {
        ...place,
        display_name_enc: await keyring.seal(nameContext(place), Buffer.from(name)),
        created_ms: this.#now(),
        disabled_ms: null,
        admin_mac: null,
      };
      await trx.insertInto('users').values(user).execute();
      await also(trx, id);
      return user;
    });
    return this.#toAccount(row);
  }

  /** @throws SpoonError `not-found`, `request-invalid` for the name */
  async rename(id: string, displayName: string): Promise<void> {
    const name = checkDisplayName(displayName);
    const { store, keyring } = this.#parts;
    const row = await this.#row(id);
    const display_name_enc = await keyring.seal(nameContext(row), Buffer.from(name));
    await store.db.updateTable('users').set({ display_name_enc }).where('id', '=', id).execute();
  }

  /**
   * From its return on, no token of the user is taken and none is made. The password and an open invite are gone: somebody else
   * may know them, and enabling again must not let them in.
   */
  async disable(id: string): Promise<void> {
    const disabled_ms = this.#now();
    await this.#parts.store.transaction(async (trx) => {
      await trx
        .updateTable('users')
        .set({ disabled_ms })
        .where('id', '=', id)
        .where('disabled_ms', 'is', null)
        .execute();
      for (const table of ['passwords', 'invites'] as const) {
        await trx.deleteFrom(table).where('user_id', '=', id).execute();
      }
    });
  }

  /** @throws SpoonError `not-found` */
  async setAdmin(id: string, admin: boolean): Promise<void> {
    const { store } = this.#parts;
    const admin_mac = admin ? await this.#adminMac((await this.#row(id)).id) : null;
    await store.db.updateTable('users').set({ admin_mac }).where('id', '=', id).execute();
  }

  async enable(id: string): Promise<void> {
    await this.#parts.store.db.updateTable('users').set({ disabled_ms: null }).where('id', '=', id).execute();
  }

  /** Destroys the keys, then everything stored, in one step; the name and the uid are never given out again. */
  async remove(id: string): Promise<void> {
    const { store, keyring } = this.#parts;
    const { username } = await this.#row(id);
    await store.eraseIn(async (trx) => {
      await keyring.destroyDataKeys(id, trx);
      await deleteUserRows(trx, id);
      await trx.insertInto('former_users').values({ username, removed_ms: this.#now() }).execute();
    });
  }

  /** Of those who were removed. */
  async formerNames(): Promise<string[]> {
    const rows = await this.#parts.store.db.selectFrom('former_users').select('username').execute();
    return rows.map(({ username }) => username);
  }

  async byId(id: string): Promise<Account | undefined> {
    const row = await this.#parts.store.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : this.#toAccount(row);
  }

  async byName(username: string): Promise<Account | undefined> {
    const { db } = this.#parts.store;
    const row = await db.selectFrom('users').selectAll().where('username', '=', username).executeTakeFirst();
    return row === undefined ? undefined : this.#toAccount(row);
  }

  /** By username. */
  async list(): Promise<Account[]> {
    const rows = await this.#parts.store.db.selectFrom('users').selectAll().orderBy('username').execute();
    return Promise.all(rows.map((row) => this.#toAccount(row)));
  }

  async #row(id: string): Promise<UserRow> {
    const { db } = this.#parts.store;
    const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw new SpoonError('not-found');
    return row;
  }

  /** `uids` is append-only: the next one is beyond all that were ever given out. */
  async #allocateUid(trx: Transaction<Tables>, userId: string): Promise<number> {
    const last = await trx
      .selectFrom('uids')
      .select(({ fn }) => fn.max('uid').as('uid'))
      .executeTakeFirst();
    const uid = Math.max(firstUid, Number(last?.uid ?? 0) + 1);
    await trx.insertInto('uids').values({ uid, user_id: userId, allocated_ms: this.#now() }).execute();
    return uid;
  }

  #adminMac(id: string): Promise<Uint8Array> {
    return this.#parts.keyring.mac(systemOwnerId, 'admin', lengthPrefixed([id]));
  }

  async #isAdmin({ id, admin_mac }: UserRow): Promise<boolean> {
    return admin_mac !== null && Buffer.from(await this.#adminMac(id)).equals(admin_mac);
  }

  async #toAccount(row: UserRow): Promise<Account> {
    const name = await this.#parts.keyring.open(nameContext(row), row.display_name_enc);
    return {
      id: row.id,
      username: row.username,
      displayName: Buffer.from(name).toString('utf8'),
      uid: row.uid,
      shell: row.shell,
      createdMs: row.created_ms,
      disabled: row.disabled_ms !== null,
      admin: await this.#isAdmin(row),
    };
  }
}

/** Binds what decides whose home a box gets and what runs in it: who edits the database cannot give one user's to another. */
function nameContext({ id, username, uid, shell }: Pick<UserRow, 'id' | 'username' | 'uid' | 'shell'>) {
  return { ownerId: id, kind: 'name', objectId: `${id}/${username}${shell}`, version: uid, mode: 0 } as const;
}

/** It is shown in lists and terminals: no control characters, no lone surrogates. @throws SpoonError `request-invalid` */
export function checkDisplayName(text: string): string {
  const name = text.trim().normalize('NFC');
  if (name === '' || !name.isWellFormed() || /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(name)) {
    throw new SpoonError('request-invalid', 'Give a name without line breaks and control characters.');
  }
  return name;
}

/** Whether the image has it is seen in the box. @throws SpoonError `request-invalid` */
function checkShell(shell: string): void {
  const segments = shell.split('/').slice(1);
  if (!/^\/[A-Za-z0-9._/+-]{1,120}$/.test(shell) || segments.some((part) => ['', '.', '..'].includes(part))) {
    throw new SpoonError('request-invalid', 'Give the shell as a plain absolute path, such as /bin/bash.');
  }
}
