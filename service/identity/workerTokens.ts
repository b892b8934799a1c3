import { randomBytes, timingSafeEqual } from 'node:crypto';
import { SpoonError } from '../../protocol/errors.ts';
import { formatToken, parseToken, randomBase62, tokenKinds } from '../../protocol/tokenFormat.ts';
import { lengthPrefixed } from '../keyring/envelope.ts';
import { type Keyring, systemOwnerId } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { WorkerTokenRow } from '../store/tables.ts';

export interface WorkerTokenHolder {
  readonly tokenId: string;
  /** The one job that it is for. */
  readonly jobId: string;
}

const idCharacters = 12;
const secretCharacters = 43;
const noRow: WorkerTokenRow = { id: '', job_id: '', hash: new Uint8Array(), expires_ms: 0 };

/**
 * Tokens of workers, each for one job (`security.md` section 4): shown once, kept as a keyed hash over the whole row. What the job's
 * end means for one is said where the job is known.
 */
export class WorkerTokens {
  readonly #store: Store;
  readonly #keyring: Keyring;
  readonly #now: () => number;

  constructor({ store, keyring, now = Date.now }: { store: Store; keyring: Keyring; now?: () => number }) {
    this.#store = store;
    this.#keyring = keyring;
    this.#now = now;
  }

  /** @param lifeMs after which it ends, whatever becomes of the job */
  async create(jobId: string, lifeMs: number): Promise<{ token: string; expiresMs: number }> {
    const id = randomBase62(idCharacters, randomBytes);
    const secret = randomBase62(secretCharacters, randomBytes);
    const row = { id, job_id: jobId, expires_ms: this.#now() + lifeMs };
    const hash = await this.#hashOf(row, secret);
    await this.#store.transaction(async (trx) => {
      await trx.deleteFrom('worker_tokens').where('expires_ms', '<=', this.#now()).execute();
      await trx
        .insertInto('worker_tokens')
        .values({ ...row, hash })
        .execute();
    });
    return { token: formatToken({ kind: tokenKinds.worker, id, secret }), expiresMs: row.expires_ms };
  }

  /** @throws SpoonError `unauthenticated`, `token-expired` */
  async verify(text: string): Promise<WorkerTokenHolder> {
    const parts = parseToken(text);
    if (parts?.kind !== tokenKinds.worker) throw new SpoonError('unauthenticated');
    const row = await this.#store.db
      .selectFrom('worker_tokens')
      .selectAll()
      .where('id', '=', parts.id)
      .executeTakeFirst();
    // Also hashed where there is no row, so that an unknown id takes as long as a wrong secret (row 49).
    const hash = await this.#hashOf(row ?? noRow, parts.secret);
    if (row?.hash.length !== hash.length || !timingSafeEqual(hash, row.hash)) throw new SpoonError('unauthenticated');
    if (this.#now() >= row.expires_ms) throw new SpoonError('token-expired', 'Ask the operator for another one.');
    return { tokenId: row.id, jobId: row.job_id };
  }

  #hashOf({ id, job_id, expires_ms }: Omit<WorkerTokenRow, 'hash'>, secret: string): Promise<Uint8Array> {
    const data = lengthPrefixed(['worker', id, job_id, String(expires_ms), secret]);
    return this.#keyring.mac(systemOwnerId, 'token', data);
  }
}
