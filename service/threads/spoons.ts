import { checkBranchName } from '../../protocol/branchName.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { maxSpoonsPerUser } from '../../protocol/limits.ts';
import { checkRepositoryUrl } from '../../protocol/repositoryUrl.ts';
import { checkSpoonName, spoonNameOf } from '../../protocol/spoonName.ts';
import type { CreateSpoonRequest } from '../../protocol/threads.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { SpoonRow } from '../store/tables.ts';
import { openSpoon, type SpoonHead, sealSpoon, spoonMac } from './sealedThread.ts';

export interface StoredSpoon extends SpoonHead {
  readonly id: string;
  readonly createdMs: number;
}

export interface SpoonsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  /** `SPOON_GIT_HOSTS`. */
  readonly gitHosts: readonly string[];
  readonly now: () => number;
  /** A row that does not open; the others go on. */
  readonly onDamage: (damage: { userId: string; error: SpoonError }) => void;
}

/** The repositories of each user: which there are, under which name, at which address. */
export class Spoons {
  readonly #parts: SpoonsParts;

  constructor(parts: SpoonsParts) {
    this.#parts = parts;
  }

  async list(userId: string): Promise<StoredSpoon[]> {
    const { store, onDamage } = this.#parts;
    const rows = await store.db.selectFrom('spoons').selectAll().where('user_id', '=', userId).execute();
    const spoons: StoredSpoon[] = [];
    for (const row of rows) {
      try {
        spoons.push(await this.#open(row));
      } catch (error) {
        if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
        onDamage({ userId, error });
      }
    }
    return spoons.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws SpoonError `integrity-failure` */
  async byName(userId: string, name: string): Promise<StoredSpoon | undefined> {
    const { store, keyring } = this.#parts;
    const row = await store.db
      .selectFrom('spoons')
      .selectAll()
      .where('user_id', '=', userId)
      .where('name_mac', '=', await spoonMac(keyring, userId, name))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const spoon = await this.#open(row);
    // The hash was edited to lead to another row.
    if (spoon.name !== name) throw new SpoonError('integrity-failure');
    return spoon;
  }

  /** @throws SpoonError `not-found`, `integrity-failure` */
  async byId(userId: string, id: string): Promise<StoredSpoon> {
    const row = await this.#parts.store.db
      .selectFrom('spoons')
      .selectAll()
      .where('user_id', '=', userId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) throw new SpoonError('not-found');
    return this.#open(row);
  }

  /** What {@link create} would refuse of a request by itself. @throws SpoonError `spoon-name-invalid`, `url-…`, `branch-invalid` */
  check({ name, url, defaultBranch }: CreateSpoonRequest): SpoonHead {
    const address = checkRepositoryUrl(url, this.#parts.gitHosts);
    const given = name ?? spoonNameOf(address);
    if (given === undefined) throw new SpoonError('spoon-name-invalid', 'The address suggests none; give one.');
    return {
      name: checkSpoonName(given),
      url: address,
      defaultBranch: defaultBranch === undefined ? null : checkBranchName(defaultBranch),
    };
  }

  /** @throws SpoonError as {@link check}; `spoon-exists`, `spoon-limit` */
  async create(userId: string, request: CreateSpoonRequest): Promise<StoredSpoon> {
    const { store, keyring, now } = this.#parts;
    const head = this.check(request);
    const spoon = { id: crypto.randomUUID(), ...head, createdMs: now() };
    const values = {
      id: spoon.id,
      user_id: userId,
      name_mac: await spoonMac(keyring, userId, head.name),
      head_enc: await sealSpoon(keyring, userId, { id: spoon.id, version: 1 }, head),
      version: 1,
      created_ms: spoon.createdMs,
    };
    await store.transaction(async (trx) => {
      const own = trx.selectFrom('spoons').where('user_id', '=', userId);
      const same = await own.select('id').where('name_mac', '=', values.name_mac).executeTakeFirst();
      if (same !== undefined) throw new SpoonError('spoon-exists', head.name);
      const { count } = await own.select(({ fn }) => fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
      if (Number(count) >= maxSpoonsPerUser) throw new SpoonError('spoon-limit', `At most ${maxSpoonsPerUser}.`);
      await trx.insertInto('spoons').values(values).execute();
    });
    return spoon;
  }

  /** What the repository itself said. Without effect where the row has changed meanwhile. */
  async setDefaultBranch(userId: string, { id }: StoredSpoon, defaultBranch: string): Promise<void> {
    const { store, keyring } = this.#parts;
    const own = (trx: Store['db']) => trx.selectFrom('spoons').selectAll().where('user_id', '=', userId);
    const row = await own(store.db).where('id', '=', id).executeTakeFirst();
    if (row === undefined) return;
    const head = await openSpoon(keyring, row);
    if (head.defaultBranch === defaultBranch) return;
    const version = row.version + 1;
    const head_enc = await sealSpoon(keyring, userId, { id, version }, { ...head, defaultBranch });
    await store.transaction(async (trx) => {
      await trx
        .updateTable('spoons')
        .set({ head_enc, version })
        .where('user_id', '=', userId)
        .where('id', '=', id)
        .where('version', '=', row.version)
        .execute();
    });
  }

  /** @throws SpoonError `not-found`, `spoon-in-use` */
  async remove(userId: string, id: string): Promise<void> {
    await this.#parts.store.transaction(async (trx) => {
      const threads = await trx
        .selectFrom('threads')
        .select('id')
        .where('user_id', '=', userId)
        .where('spoon_id', '=', id)
        .execute();
      if (threads.length > 0) {
        const many = threads.length === 1 ? 'one' : String(threads.length);
        throw new SpoonError('spoon-in-use', `It has ${many}; delete them first.`);
      }
      const { numDeletedRows } = await trx
        .deleteFrom('spoons')
        .where('user_id', '=', userId)
        .where('id', '=', id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) throw new SpoonError('not-found');
    });
  }

  async #open(row: SpoonRow): Promise<StoredSpoon> {
    return { id: row.id, createdMs: row.created_ms, ...(await openSpoon(this.#parts.keyring, row)) };
  }
}
