import { randomBytes } from 'node:crypto';
import { chmod, type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, type Transaction } from 'kysely';
import { LogCheckpoints } from './logCheckpoints.ts';
import { LogEmptying } from './logEmptying.ts';
import { LogSync } from './logSync.ts';
import { lookAtStore, type StoreLook } from './lookAtStore.ts';
import { migrate, refuseNewerSchema } from './migrate.ts';
import { type Snapshot, snapshotTo } from './snapshot.ts';
import { SqliteDriver, sqliteDialect } from './sqliteDialect.ts';
import { asStoreError } from './storeErrors.ts';
import type { Tables } from './tables.ts';

/**
 * The one database of the service. A write that has resolved survives a crash and a loss of power: its log is synced after each
 * commit, beside the event loop (docs/decisions/0212-commits-are-synced-beside-the-loop.md). Holds
 * only sealed contents and names; this folder knows nothing of keys and must never see what it stores in the clear.
 */
export interface Store {
  /** Reads see what is committed, also while a transaction runs. Writes that need no other go here too. */
  readonly db: Kysely<Tables>;
  /** One at a time. Everything `work` writes is committed when this resolves, and nothing of it when it rejects. */
  transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /**
   * As {@link transaction}; what it deletes is overwritten with zeros, in the file and by emptying the log: as soon as nobody reads
   * it any more, such as a backup, and before this resolves where that takes less than 5 s.
   */
  eraseIn<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /** Puts what the write-ahead log holds into the database file. */
  checkpoint(): Promise<void>;
  /** How large it is on the disk, with its log. */
  bytes(): Promise<number>;
  /** As {@link snapshotTo}. */
  snapshot(target: string): Promise<Snapshot>;
  close(): Promise<void>;
}

const instanceIdName = 'instance-id';
/**
 * At most, and taken only as pages are read. The rows of a user with 10,000 dotfiles are 5 MiB and lie in the order of
 * their making, not of the list: with SQLite's own 2 MiB each page of them is read many times over.
 */
const readCacheKiB = 32 * 1024;
/** The log is cut to this after a large save; SQLite would keep its largest size. */
const keptLogBytes = 16 * 1024 * 1024;
/** 64 MiB. */
const ownCheckpointPages = 16_384;
const openTimeoutMs = 5_000;
const undoOfTransaction = new WeakMap<Transaction<Tables>, (() => void)[]>();

/** Runs `undo` if the transaction is not committed: for what has been kept in memory on the strength of it. */
export function onRollback(trx: Transaction<Tables>, undo: () => void): void {
  const undos = undoOfTransaction.get(trx) ?? [];
  undos.push(undo);
  undoOfTransaction.set(trx, undos);
}

/**
 * Opens the database, makes it if there is none (mode 0600), and brings its schema up to date.
 * @param beforeWriting sees what is there while not a byte has been changed; what it throws ends the opening. The key is
 *   checked here, so that a wrong one leaves no trace
 * @param onLost what was committed cannot be brought to the disk: the process is to end, and whoever waits is never answered
 * @throws SpoonError `schema-newer`, `store-busy`, `config-invalid`, `integrity-failure`, `insufficient-storage`
 */
export async function openStore(
  file: string,
  beforeWriting: (look: StoreLook) => Promise<void> | void = () => undefined,
  onLost: (fault: unknown) => void = endProcess,
): Promise<Store> {
  const look = await lookAtStore(file);
  refuseNewerSchema(look.schema);
  await beforeWriting(look);
  await makePrivateFile(file);
  const { driver, checkpoint, emptyLog, close } = await connect(file, onLost);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
  const transaction: Store['transaction'] = (work) => {
    let started: Transaction<Tables> | undefined;
    const run = async (trx: Transaction<Tables>) => {
      started = trx;
      return work(trx);
    };
    return driver
      .guard(() => db.transaction().execute(run))
      .catch((error: unknown) => {
        for (const undo of (started && undoOfTransaction.get(started)) ?? []) undo();
        throw error;
      });
  };
  const store: Store = {
    db,
    transaction,
    eraseIn: async (work) => {
      const result = await driver.overwritingDeleted(() => transaction(work));
      await emptyLog();
      return result;
    },
    checkpoint,
    bytes: async () => (await sizeOf(file)) + (await sizeOf(`${file}-wal`)),
    snapshot: (target) => snapshotTo(file, target),
    close: () => close(() => db.destroy()),
  };
  try {
    const ran = await migrate(db, transaction);
    await ensureInstanceId(store);
    if (ran > 0) await store.checkpoint();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function makePrivateFile(file: string): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  await handle.close();
  await chmod(file, 0o600);
  // The name of a new file is durable only once its folder is (fsync(2)).
  const folder = await open(dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A log that is not there yet has none. */
async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function endProcess(fault: unknown): void {
  // Outside of every promise: nobody can catch it.
  setImmediate(() => {
    throw fault;
  });
}

interface Connected {
  readonly driver: SqliteDriver;
  /** As {@link Store.checkpoint}. */
  checkpoint(): Promise<void>;
  /** As the end of {@link Store.eraseIn}. */
  emptyLog(): Promise<void>;
  /** @param disconnect closes the two connections of the driver, between what comes before and after */
  close(disconnect: () => Promise<void>): Promise<void>;
}

async function connect(file: string, onLost: (fault: unknown) => void): Promise<Connected> {
  const { writer, reader } = openConnections(file);
  const checkpoints = new LogCheckpoints(file);
  const checkpoint = (): Promise<boolean> => driver.checkpoint(() => checkpoints.settle());
  let log: FileHandle;
  try {
    // Not the file with SQLite's locks, which would be gone with the first descriptor of this process that is closed.
    log = await open(`${file}-wal`, 'r');
  } catch (error) {
    reader.close();
    writer.close();
    throw error;
  }
  const logSync = new LogSync({ log, repair: checkpoint, onLost });
  const driver = new SqliteDriver(writer, reader, {
    onCommitted: async () => {
      checkpoints.soon();
      await logSync.sync();
    },
  });
  const emptying = new LogEmptying(checkpoint);
  return {
    driver,
    checkpoint: async () => void (await checkpoint()),
    emptyLog: () => emptying.empty(),
    close: async (disconnect) => {
      await emptying.close();
      await checkpoints.close();
      await disconnect();
      await logSync.settle();
      await log.close();
    },
  };
}

function openConnections(file: string): { writer: DatabaseSync; reader: DatabaseSync } {
  const opened: DatabaseSync[] = [];
  try {
    const writer = new DatabaseSync(file, { timeout: openTimeoutMs, enableForeignKeyConstraints: true });
    opened.push(writer);
    writer.exec('PRAGMA journal_mode = WAL');
    // The log is synced by `LogSync` after each commit, and by SQLite before each checkpoint.
    writer.exec('PRAGMA synchronous = NORMAL');
    // In case that `LogCheckpoints` cannot.
    writer.exec(`PRAGMA wal_autocheckpoint = ${ownCheckpointPages}`);
    writer.exec(`PRAGMA journal_size_limit = ${keptLogBytes}`);
    writer.exec('PRAGMA trusted_schema = OFF');
    // Opens the log, which a new database has none of until then.
    writer.exec('SELECT count(*) FROM sqlite_schema');
    // From here on the driver waits for locks itself: SQLite's own waiting would block the whole process.
    writer.exec('PRAGMA busy_timeout = 0');
    const reader = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
    opened.push(reader);
    reader.exec('PRAGMA trusted_schema = OFF');
    reader.exec(`PRAGMA cache_size = -${readCacheKiB}`);
    return { writer, reader };
  } catch (error) {
    for (const database of opened) database.close();
    throw asStoreError(error);
  }
}

async function ensureInstanceId({ db, transaction }: Store): Promise<void> {
  const known = await db.selectFrom('facts').select('value').where('name', '=', instanceIdName).executeTakeFirst();
  if (known !== undefined) return;
  const value = randomBytes(6).toString('hex');
  await transaction((trx) => trx.insertInto('facts').values({ name: instanceIdName, value }).execute());
}

/** Names this database, and so this service, for as long as it lives: 12 hex digits, made at the first start. */
export async function readInstanceId({ db }: Store): Promise<string> {
  const fact = await db
    .selectFrom('facts')
    .select('value')
    .where('name', '=', instanceIdName)
    .executeTakeFirstOrThrow();
  return fact.value;
}
