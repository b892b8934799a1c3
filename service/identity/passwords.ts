import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import { longestPassword, shortestPassword } from '../../protocol/limits.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';
import { requireEnabled } from './requireEnabled.ts';

/** Passwords of users, as Argon2id hashes that are sealed once more. */

const runArgon2: (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer> = promisify(argon2);
const saltBytes = 16;
const hashBytes = 32;
/** OWASP's recommendation for Argon2id: 19 MiB, two passes; about 40 ms. */
const cost = { memory: 19 * 1024, passes: 2, parallelism: 1 } as const;
/** Half of libuv's threads: the others bring what is saved to the disk. */
const maxAtOnce = 2;
/** Beyond this, who comes is told to come later: memory and time stay bounded whoever floods the door (row 106). */
const maxWaiting = 64;
const recordVersion = 1;

export interface PasswordUser {
  readonly id: string;
  readonly username: string;
}

export class Passwords {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring };
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(parts: { store: Store; keyring: Keyring }) {
    this.#parts = parts;
  }

  /**
   * Whatever there was before.
   * @param also is done with it or not at all
   * @throws SpoonError `password-unsuitable`, `user-disabled`, `too-many-requests` when many wait
   */
  async set(
    user: PasswordUser,
    password: string,
    also: (trx: Transaction<Tables>) => Promise<void> = async () => undefined,
  ): Promise<void> {
    const values = await this.#sealed(user, password);
    await this.#parts.store.transaction(async (trx) => {
      await requireEnabled(trx, user.id);
      await also(trx);
      await trx
        .insertInto('passwords')
        .values({ user_id: user.id, ...values })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet(values))
        .execute();
    });
  }

  /**
   * For who knows the one there is.
   * @throws SpoonError `password-missing`, `password-unsuitable` also for a wrong current one, `too-many-requests` when many wait
   */
  async change(user: PasswordUser, current: string, password: string): Promise<void> {
    const before = await this.#row(user.id);
    if (before === undefined) throw new SpoonError('password-missing');
    const wrong = new SpoonError('password-unsuitable', 'The current password is not right.');
    if (!(await this.verify(user.id, current))) throw wrong;
    const values = await this.#sealed(user, password);
    const { numUpdatedRows } = await this.#parts.store.db
      .updateTable('passwords')
      .set(values)
      .where('user_id', '=', user.id)
      // Not the hash: the same one may have been sealed with another key.
      .where('changed_ms', '=', before.changed_ms)
      .executeTakeFirst();
    // Changed or taken away meanwhile.
    if (numUpdatedRows === 0n) throw wrong;
  }

  /**
   * As slow for a user who does not exist, or has no password, as for a wrong one.
   * @param userId undefined: there is no such user
   */
  async verify(userId: string | undefined, password: string): Promise<boolean> {
    const record = userId === undefined ? undefined : await this.#record(userId);
    const salt = record?.subarray(1, 1 + saltBytes) ?? Buffer.alloc(saltBytes);
    const wanted = record?.subarray(1 + saltBytes) ?? Buffer.alloc(hashBytes);
    const found = await this.#hash(password.normalize('NFKC'), salt);
    return timingSafeEqual(found, wanted) && record !== undefined;
  }

  async #sealed(user: PasswordUser, password: string): Promise<{ hash_enc: Uint8Array; changed_ms: number }> {
    const text = checkPassword(password, user.username);
    const salt = randomBytes(saltBytes);
    const record = Buffer.concat([Buffer.of(recordVersion), salt, await this.#hash(text, salt)]);
    return { hash_enc: await this.#parts.keyring.seal(contextOf(user.id), record), changed_ms: Date.now() };
  }

  #row(userId: string) {
    const { db } = this.#parts.store;
    return db.selectFrom('passwords').selectAll().where('user_id', '=', userId).executeTakeFirst();
  }

  async #record(userId: string): Promise<Buffer | undefined> {
    const row = await this.#row(userId);
    if (row === undefined) return undefined;
    const record = Buffer.from(await this.#parts.keyring.open(contextOf(userId), row.hash_enc));
    if (record.length !== 1 + saltBytes + hashBytes || record[0] !== recordVersion) {
      throw new SpoonError('integrity-failure');
    }
    return record;
  }

  async #hash(text: string, salt: Uint8Array): Promise<Buffer> {
    await this.#enter();
    try {
      return await runArgon2('argon2id', { message: Buffer.from(text), nonce: salt, ...cost, tagLength: hashBytes });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running < maxAtOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= maxWaiting) {
      throw new SpoonError('too-many-requests', undefined, { extra: { retryAfterSeconds: 5 } });
    }
    await new Promise<void>((enter) => this.#waiting.push(enter));
  }
}

function contextOf(userId: string) {
  return { ownerId: userId, kind: 'secret', objectId: 'password', version: 0, mode: 0 } as const;
}

/** Length and nothing about kinds of characters (NIST SP 800-63B). @throws SpoonError `password-unsuitable` */
function checkPassword(password: string, username: string): string {
  const text = password.normalize('NFKC');
  const length = [...text].length;
  if (!text.isWellFormed() || length < shortestPassword || length > longestPassword) {
    throw new SpoonError('password-unsuitable', `It has ${shortestPassword} to ${longestPassword} characters.`);
  }
  if (new Set(text.toLowerCase()).size < 5 || text.toLowerCase().replaceAll(username, '').length < 6) {
    throw new SpoonError('password-unsuitable', 'It would be guessed at once. Use several words.');
  }
  return text;
}
