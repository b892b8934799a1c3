import type { Transaction } from 'kysely';
import { type Static, type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import { TakenOut } from '../../protocol/dotfilesSwitch.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { RepositoryGeneration, RepositoryRun, RepositorySettings } from '../../protocol/repository.ts';
import { RepositoryCredential } from '../../protocol/repositoryCredential.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { Tables } from '../store/tables.ts';

/** What is kept of a user's dotfiles repository, and of dotfiles as a whole. */
const StoredRepository = Type.Object({
  settings: Type.Union([RepositorySettings, Type.Null()]),
  /** The home still has what a repository that was taken away or switched off has made. */
  restore: Type.Boolean(),
  commit: Type.Union([Type.String(), Type.Null()]),
  available: Type.Union([Type.String(), Type.Null()]),
  checkedMs: Type.Union([Type.Integer(), Type.Null()]),
  credential: Type.Optional(RepositoryCredential),
  /** All dotfiles are turned off; `applied`: the home knows. */
  off: Type.Optional(Type.Object({ applied: Type.Boolean(), takenOut: TakenOut })),
  /** Oldest first. */
  generations: Type.Optional(Type.Array(RepositoryGeneration)),
});
export type StoredRepository = Static<typeof StoredRepository>;

export const noRepository: StoredRepository = {
  settings: null,
  restore: false,
  commit: null,
  available: null,
  checkedMs: null,
};

type Alongside = (
  trx: Transaction<Tables>,
  before: StoredRepository | undefined,
  after: StoredRepository,
) => Promise<void>;
type Part = 'settings' | 'run' | 'log';

/** The table `environments`: address, commits, the last run and its log, sealed like contents (decision 7). */
export class RepositoryRecords {
  readonly #store: Store;
  readonly #keyring: Keyring;

  constructor({ store, keyring }: { store: Store; keyring: Keyring }) {
    this.#store = store;
    this.#keyring = keyring;
  }

  /** @throws SpoonError `integrity-failure`, `key-unavailable` */
  async read(userId: string): Promise<StoredRepository | undefined> {
    return this.#read(this.#store.db, userId);
  }

  /** {@link read}, and what belongs to it as it is at that same time. @throws what `work` throws */
  async readWith<T>(
    userId: string,
    work: (trx: Transaction<Tables>, stored: StoredRepository | undefined) => Promise<T>,
  ): Promise<T> {
    return this.#store.transaction(async (trx) => work(trx, await this.#read(trx, userId)));
  }

  /** The last run. @throws SpoonError `integrity-failure`, `key-unavailable` */
  async readRun(userId: string): Promise<RepositoryRun | undefined> {
    const row = await this.#row(this.#store.db, userId, ['run_version', 'run_enc']);
    if (row === undefined || row.run_enc === null) return undefined;
    return await this.#open(RepositoryRun, { userId, part: 'run', version: row.run_version }, row.run_enc);
  }

  /** Empty where nothing ran. @throws SpoonError `integrity-failure`, `key-unavailable` */
  async readLog(userId: string): Promise<Uint8Array> {
    const row = await this.#row(this.#store.db, userId, ['run_version', 'log_enc']);
    if (row === undefined || row.log_enc === null) return new Uint8Array();
    return await this.#keyring.open(context({ userId, part: 'log', version: row.run_version }), row.log_enc);
  }

  /**
   * @param change of what is there; undefined leaves it so
   * @param alongside what else is written in the same step, if something changes
   */
  async write(
    userId: string,
    change: (before: StoredRepository | undefined) => StoredRepository | undefined,
    alongside: Alongside = async () => undefined,
  ): Promise<StoredRepository | undefined> {
    const { db } = this.#store;
    for (;;) {
      const row = await this.#row(db, userId, ['version', 'settings_enc']);
      const before =
        row && (await this.#open(StoredRepository, { userId, part: 'settings', ...row }, row.settings_enc));
      const after = change(before);
      if (after === undefined || after === before) return before;
      const version = (row?.version ?? 0) + 1;
      const settings_enc = await this.#seal({ userId, part: 'settings', version }, JSON.stringify(after));
      const isWritten = await this.#store.transaction(async (trx) => {
        if (row === undefined) {
          const values = { user_id: userId, version, settings_enc, run_version: 0, run_enc: null, log_enc: null };
          const { numInsertedOrUpdatedRows } = await trx
            .insertInto('environments')
            .values(values)
            .onConflict((conflict) => conflict.doNothing())
            .executeTakeFirst();
          if (numInsertedOrUpdatedRows !== 1n) return false;
          await alongside(trx, before, after);
          return true;
        }
        const { numUpdatedRows } = await trx
          .updateTable('environments')
          .set({ version, settings_enc })
          .where('user_id', '=', userId)
          .where('version', '=', row.version)
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) return false;
        await alongside(trx, before, after);
        return true;
      });
      if (isWritten) return after;
    }
  }

  async writeRun(userId: string, run: RepositoryRun, log: Uint8Array): Promise<void> {
    const row = await this.#row(this.#store.db, userId, ['run_version']);
    if (row === undefined) return;
    const version = row.run_version + 1;
    const run_enc = await this.#seal({ userId, part: 'run', version }, JSON.stringify(run));
    const log_enc = await this.#seal({ userId, part: 'log', version }, log);
    await this.#store.transaction(async (trx) => {
      await trx
        .updateTable('environments')
        .set({ run_version: version, run_enc, log_enc })
        .where('user_id', '=', userId)
        .where('run_version', '=', row.run_version)
        .execute();
    });
  }

  async #read(db: Store['db'], userId: string): Promise<StoredRepository | undefined> {
    const row = await this.#row(db, userId, ['version', 'settings_enc']);
    return row && (await this.#open(StoredRepository, { userId, part: 'settings', ...row }, row.settings_enc));
  }

  #row<C extends 'version' | 'settings_enc' | 'run_version' | 'run_enc' | 'log_enc'>(
    db: Store['db'],
    userId: string,
    columns: C[],
  ) {
    return db.selectFrom('environments').select(columns).where('user_id', '=', userId).executeTakeFirst();
  }

  #seal(of: Parameters<typeof context>[0], content: string | Uint8Array): Promise<Uint8Array> {
    return this.#keyring.seal(context(of), Buffer.from(content));
  }

  async #open<T extends TSchema>(schema: T, of: Parameters<typeof context>[0], sealed: Uint8Array): Promise<Static<T>> {
    const text = Buffer.from(await this.#keyring.open(context(of), sealed)).toString('utf8');
    const value: unknown = JSON.parse(text);
    if (!Check(schema, value)) throw new SpoonError('integrity-failure');
    return value;
  }
}

function context({ userId, part, version }: { userId: string; part: Part; version: number }) {
  return { ownerId: userId, kind: 'file', objectId: `${userId}/environment/${part}`, version, mode: 0 } as const;
}
