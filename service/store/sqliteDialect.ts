import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { asStoreError, isBusy } from './storeErrors.ts';

/**
 * Kysely over `node:sqlite` with two connections: one that writes, for one transaction at a time, and one that only reads
 * what is committed. So a read never waits for a running transaction, also when it is made from inside of one.
 */

/** How long a writer waits for a lock that another process holds (security.md R28). Waited for without blocking the loop. */
const busyTimeoutMs = 5_000;
const longestRetryMs = 50;
const maxCachedStatements = 256;
/** Whatever else is run, such as by a migration, may change the tables themselves. */
const changesRowsAlone = new Set<string>(['SelectQueryNode', 'InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']);

interface Prepared {
  readonly statement: StatementSync;
  /** Of its rows; none for a statement without. */
  readonly columns: readonly string[];
}

/** A connection of node:sqlite with its prepared statements. */
class Statements {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  run<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const { statement, columns } = this.#prepare(sql);
    const values = parameters as Parameters<StatementSync['all']>;
    if (columns.length > 0) return { rows: objectsOf<R>(columns, statement.all(...values) as unknown as unknown[][]) };
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  /** Their rows may have other columns by now, which SQLite knows and `Prepared` does not. */
  forget(): void {
    this.#prepared.clear();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    // Asked once: SQLite names every column for it.
    const columns = statement.columns().map(({ name }) => name);
    statement.setReturnArrays(true);
    const prepared = { statement, columns };
    if (this.#prepared.size >= maxCachedStatements) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

/** As those of node:sqlite, which are made as dictionaries: that and reading them takes half as long again. */
function objectsOf<R>(columns: readonly string[], rows: readonly unknown[][]): R[] {
  return rows.map((values) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) row[columns[index] ?? ''] = values[index];
    return row as R;
  });
}

/** One at a time, in the order of asking. */
class Turn {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is this caller's turn, with the function that ends it. */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    return resolve;
  }
}

export class SqliteDriver implements Driver {
  readonly #writer: Statements;
  readonly #reader: Statements;
  readonly #turn = new Turn();
  readonly #endTurn = new WeakMap<DatabaseConnection, () => void>();
  readonly #insideTransaction = new AsyncLocalStorage<true>();

  #erasing = 0;
  readonly #busyMs: number;
  readonly #onCommitted: () => Promise<void>;

  /** @param onCommitted a write counts as done when this has resolved, which it must; others may be made meanwhile */
  constructor(
    writer: DatabaseSync,
    reader: DatabaseSync,
    {
      busyMs = busyTimeoutMs,
      onCommitted = async () => undefined,
    }: { busyMs?: number; onCommitted?: () => Promise<void> } = {},
  ) {
    this.#busyMs = busyMs;
    this.#onCommitted = onCommitted;
    this.#writer = new Statements(writer);
    this.#reader = new Statements(reader);
  }

  /** Marks what `work` starts, so that a write past its transaction is an error and not a wait for itself for ever. */
  guard<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseInsideTransaction();
    return this.#insideTransaction.run(true, work);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const connection: DatabaseConnection = {
      executeQuery: (query) => this.#execute(connection, query),
      streamQuery: () => {
        throw new Error('SqliteDriver does not stream: SQLite reads synchronously.');
      },
    };
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    const end = await this.#turn.take();
    try {
      // IMMEDIATE: a lock taken at the first write could fail with SQLITE_BUSY in the middle, where waiting cannot help.
      await retryWhileBusy(this.#busyMs, () => this.#writer.database.exec('BEGIN IMMEDIATE'));
    } catch (error) {
      end();
      throw asStoreError(error);
    }
    this.#endTurn.set(connection, end);
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      this.#writer.database.exec('COMMIT');
    } catch (error) {
      throw asStoreError(error);
    }
    this.#finish(connection);
    await this.#onCommitted();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk makes SQLite roll back by itself; so may a failed COMMIT.
    if (this.#writer.database.isTransaction) this.#writer.database.exec('ROLLBACK');
    this.#writer.forget();
    this.#finish(connection);
  }

  async releaseConnection(): Promise<void> {}

  /** Not always: it makes every delete of a large row write all of its pages. */
  async overwritingDeleted<T>(work: () => Promise<T>): Promise<T> {
    this.#erasing += 1;
    this.#writer.database.exec('PRAGMA secure_delete = ON');
    try {
      return await work();
    } finally {
      this.#erasing -= 1;
      if (this.#erasing === 0) this.#writer.database.exec('PRAGMA secure_delete = OFF');
    }
  }

  /**
   * Puts the write-ahead log into the database file, both synced, as far as no other connection still reads it.
   * @param first is waited for when it is this one's turn
   * @returns whether all of it is there
   */
  async checkpoint(first: () => Promise<void> = async () => undefined): Promise<boolean> {
    const end = await this.#turn.take();
    try {
      await first();
      return this.#writer.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.busy === 0;
    } catch (error) {
      throw asStoreError(error);
    } finally {
      end();
    }
  }

  async destroy(): Promise<void> {
    const end = await this.#turn.take();
    this.#reader.database.close();
    this.#writer.database.close();
    end();
  }

  #finish(connection: DatabaseConnection): void {
    this.#endTurn.get(connection)?.();
    this.#endTurn.delete(connection);
  }

  async #execute<R>(connection: DatabaseConnection, query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      if (this.#endTurn.has(connection)) return this.#write<R>(query);
      if (SelectQueryNode.is(query.query)) return this.#reader.run<R>(query);
      this.#refuseInsideTransaction();
      const end = await this.#turn.take();
      let result: QueryResult<R>;
      try {
        result = await retryWhileBusy(this.#busyMs, () => this.#write<R>(query));
      } finally {
        end();
      }
      await this.#onCommitted();
      return result;
    } catch (error) {
      throw asStoreError(error);
    }
  }

  #write<R>(query: CompiledQuery): QueryResult<R> {
    const result = this.#writer.run<R>(query);
    if (!changesRowsAlone.has(query.query.kind)) for (const each of [this.#writer, this.#reader]) each.forget();
    return result;
  }

  #refuseInsideTransaction(): void {
    if (this.#insideTransaction.getStore() === true) {
      throw new Error('A write inside a transaction must go through that transaction.');
    }
  }
}

async function retryWhileBusy<T>(busyMs: number, work: () => T): Promise<T> {
  const deadline = performance.now() + busyMs;
  for (let waitMs = 1; ; waitMs = Math.min(longestRetryMs, waitMs * 2)) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
    }
    await delay(waitMs);
  }
}

/** Kysely would let one query in at a time; the driver knows better which ones must wait. */
class TwoConnectionsAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

export function sqliteDialect(driver: SqliteDriver): Dialect {
  return {
    createAdapter: () => new TwoConnectionsAdapter(),
    createDriver: () => driver,
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}
