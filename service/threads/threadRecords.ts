import { SpoonError } from '../../protocol/errors.ts';
import type { ThreadRow } from '../store/tables.ts';
import { branchMac, openThread, sealThread } from './sealedThread.ts';
import type { SpoonsParts } from './spoons.ts';

export interface StoredThread {
  readonly id: string;
  readonly spoonId: string;
  readonly branch: string;
  readonly createdMs: number;
  readonly usedMs: number;
}

/** The threads of each user as they are stored: which branch of which spoon. What is on the disk is boxd's to say. */
export class ThreadRecords {
  readonly #parts: Pick<SpoonsParts, 'store' | 'keyring' | 'now' | 'onDamage'>;

  constructor(parts: Pick<SpoonsParts, 'store' | 'keyring' | 'now' | 'onDamage'>) {
    this.#parts = parts;
  }

  /** The last used first. */
  async list(userId: string): Promise<StoredThread[]> {
    const { store, onDamage } = this.#parts;
    const rows = await store.db
      .selectFrom('threads')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('used_ms', 'desc')
      .orderBy('id')
      .execute();
    const threads: StoredThread[] = [];
    for (const row of rows) {
      try {
        threads.push(await this.#open(row));
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        onDamage({ userId, error });
      }
    }
    return threads;
  }

  async byBranch(userId: string, spoonId: string, branch: string): Promise<StoredThread | undefined> {
    const { store, keyring } = this.#parts;
    const row = await store.db
      .selectFrom('threads')
      .selectAll()
      .where('user_id', '=', userId)
      .where('spoon_id', '=', spoonId)
      .where('branch_mac', '=', await branchMac(keyring, userId, spoonId, branch))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const thread = await this.#open(row);
    if (thread.branch !== branch) throw new SpoonError('integrity-failure');
    return thread;
  }

  /** @throws SpoonError `not-found`, `integrity-failure` */
  async byId(userId: string, id: string): Promise<StoredThread> {
    const row = await this.#parts.store.db
      .selectFrom('threads')
      .selectAll()
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new SpoonError('not-found');
    return this.#open(row);
  }

  async count(userId: string): Promise<number> {
    const { count } = await this.#parts.store.db
      .selectFrom('threads')
      .where('user_id', '=', userId)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** @throws SpoonError `thread-exists`; `spoon-unknown` when the spoon went meanwhile */
  async create(userId: string, spoonId: string, branch: string): Promise<StoredThread> {
    const { store, keyring, now } = this.#parts;
    const thread = { id: crypto.randomUUID(), spoonId, branch, createdMs: now(), usedMs: now() };
    const values: ThreadRow = {
      id: thread.id,
      user_id: userId,
      spoon_id: spoonId,
      branch_mac: await branchMac(keyring, userId, spoonId, branch),
      head_enc: await sealThread(keyring, userId, thread),
      created_ms: thread.createdMs,
      used_ms: thread.usedMs,
    };
    await store.transaction(async (trx) => {
      const spoon = await trx.selectFrom('spoons').select('id').where('id', '=', spoonId).executeTakeFirst();
      if (spoon === undefined) throw new SpoonError('spoon-unknown', 'It was removed meanwhile.');
      const same = await trx
        .selectFrom('threads')
        .select('id')
        .where('user_id', '=', userId)
        .where('spoon_id', '=', spoonId)
        .where('branch_mac', '=', values.branch_mac)
        .executeTakeFirst();
      if (same !== undefined) throw new SpoonError('thread-exists', branch);
      await trx.insertInto('threads').values(values).execute();
    });
    return thread;
  }

  /** Somebody works in it now. */
  async touch(userId: string, id: string): Promise<void> {
    await this.#parts.store.db
      .updateTable('threads')
      .set({ used_ms: this.#parts.now() })
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .execute();
  }

  /** @throws SpoonError `not-found` */
  async remove(userId: string, id: string): Promise<void> {
    const { numDeletedRows } = await this.#parts.store.db
      .deleteFrom('threads')
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new SpoonError('not-found');
  }

  async #open(row: ThreadRow): Promise<StoredThread> {
    const { id, spoon_id: spoonId, created_ms: createdMs, used_ms: usedMs } = row;
    return { id, spoonId, branch: await openThread(this.#parts.keyring, row), createdMs, usedMs };
  }
}
