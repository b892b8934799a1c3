import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { SpoonError } from '../../protocol/errors.ts';
import { longestPassword, shortestPassword } from '../../protocol/limits.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';

/** Passwords of users, as Argon2id hashes that are sealed once more. */

const runArgon2: (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer> = promisify(argon2);
const saltBytes = 16;
const hashBytes = 32;
/** OWASP's recommendation for Argon2id: 19 MiB, two passes; about 40 ms. */
const cost = { memory: 19 * 1024, passes: 2, parallelism: 1 } as const;
const maxAtOnce = 4;
/** Beyond this, who comes is told to come later: memory and time stay bounded whoever floods the door (row 106). */
const maxWaiting = 64;
const recordVersion = 1;

export class Passwords {
  readonly #parts: { readonly store: Store; readonly keyring: Keyring };
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(parts: { store: Store; keyring: Keyring }) {
    this.#parts = parts;
  }

  /** @throws SpoonError `password-unsuitable`, `too-many-requests` when many wait */
  async set(user: { id: string; username: string }, password: string): Promise<void> {
    const text = checkPassword(password, user.username);
    const salt = randomBytes(saltBytes);
    const record = Buffer.concat([Buffer.of(recordVersion), salt, await this.#hash(text, salt)]);
    const { store, keyring } = this.#parts;
    const hash_enc = await keyring.seal(contextOf(user.id), record);
    const changed_ms = Date.now();
    await store.db
      .insertInto('passwords')
      .values({ user_id: user.id, hash_enc, changed_ms })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ hash_enc, changed_ms }))
      .execute();
  }

  async isSet(userId: string): Promise<boolean> {
    return (await this.#record(userId)) !== undefined;
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

  async #record(userId: string): Promise<Buffer | undefined> {
    const { store, keyring } = this.#parts;
    const row = await store.db.selectFrom('passwords').selectAll().where('user_id', '=', userId).executeTakeFirst();
    if (row === undefined) return undefined;
    const record = Buffer.from(await keyring.open(contextOf(userId), row.hash_enc));
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
