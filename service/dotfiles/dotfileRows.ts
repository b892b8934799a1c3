import type { Kysely, Transaction } from 'kysely';
import type { DotfileVersion, VersionOrigin } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { keptVersions, keptVersionsMs, maxDotfilesPerUser } from '../../protocol/limits.ts';
import type { DotfileRow, DotfileVersionRow, Tables } from '../store/tables.ts';
import type { TreeEntry } from './tree.ts';

/** The statements on `dotfiles` and `dotfile_versions`. Each names the user: an id alone opens nothing. */

/** Rows are not as the tree in memory says: somebody else wrote, or a row cannot be opened. */
export class StaleTree extends Error {
  /** What to say when a fresh tree does not help. */
  readonly otherwise: SpoonError;

  constructor(otherwise: SpoonError) {
    super('The rows are not as the tree says.');
    this.otherwise = otherwise;
  }
}

const rowsPerStatement = 500;
const purgedAtOnce = 1_000;

export function liveRow(db: Kysely<Tables>, userId: string, mac: Uint8Array): Promise<DotfileRow | undefined> {
  return db
    .selectFrom('dotfiles')
    .selectAll()
    .where('user_id', '=', userId)
    .where('path_mac', '=', mac)
    .where('deleted_ms', 'is', null)
    .executeTakeFirst();
}

/** By its id, also a removed one. */
export function rowById(db: Kysely<Tables>, userId: string, id: string): Promise<DotfileRow | undefined> {
  return db.selectFrom('dotfiles').selectAll().where('id', '=', id).where('user_id', '=', userId).executeTakeFirst();
}

/** Those removed after `sinceMs`, the last one first; with a path only those that had it. */
export function deletedRows(
  db: Kysely<Tables>,
  { userId, sinceMs, mac }: { userId: string; sinceMs: number; mac?: Uint8Array },
): Promise<DotfileRow[]> {
  const all = db
    .selectFrom('dotfiles')
    .selectAll()
    .where('user_id', '=', userId)
    .where('deleted_ms', '>=', sinceMs)
    .orderBy('deleted_ms', 'desc')
    .limit(maxDotfilesPerUser);
  return (mac === undefined ? all : all.where('path_mac', '=', mac)).execute();
}

export function versionRow(
  db: Kysely<Tables>,
  { userId, id, version }: { userId: string; id: string; version: number },
): Promise<DotfileVersionRow | undefined> {
  return db
    .selectFrom('dotfile_versions')
    .selectAll()
    .where('dotfile_id', '=', id)
    .where('version', '=', version)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** Newest first, without the contents; with their keyed hashes as hex. */
export async function versionFacts(
  db: Kysely<Tables>,
  { userId, id, current }: { userId: string; id: string; current: number },
): Promise<{ version: DotfileVersion; content: string }[]> {
  const rows = await db
    .selectFrom('dotfile_versions')
    .select(['version', 'kind', 'mode', 'size', 'content_mac', 'origin', 'created_ms'])
    .where('dotfile_id', '=', id)
    .where('user_id', '=', userId)
    .orderBy('version', 'desc')
    .execute();
  return rows.map(({ version, kind, mode, size, content_mac, origin, created_ms }) => ({
    version: {
      version,
      kind,
      mode,
      size,
      origin: origin as VersionOrigin,
      createdMs: created_ms,
      current: version === current,
    },
    content: Buffer.from(content_mac).toString('hex'),
  }));
}

/** The newest version that has this content, as hex; of those that are kept. */
export async function newestVersionWith(
  db: Kysely<Tables>,
  { userId, id, content }: { userId: string; id: string; content: string },
): Promise<number | undefined> {
  const row = await db
    .selectFrom('dotfile_versions')
    .select('version')
    .where('dotfile_id', '=', id)
    .where('user_id', '=', userId)
    .where('content_mac', '=', Buffer.from(content, 'hex'))
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.version;
}

export interface SealedSave {
  readonly userId: string;
  readonly entry: TreeEntry;
  readonly pathMac: Uint8Array;
  readonly head: Uint8Array;
  readonly blob: Uint8Array;
  readonly origin: VersionOrigin;
}

function columnsOf({ entry, head }: SealedSave) {
  return {
    path_enc: head,
    kind: entry.kind,
    mode: entry.mode,
    size: entry.size,
    version: entry.version,
    last_version: entry.lastVersion,
    content_mac: Buffer.from(entry.content, 'hex'),
    modified_ms: entry.modifiedMs,
    drift_version: entry.drift?.version ?? null,
    drift_base: entry.drift?.base ?? null,
    secrets_silenced_ms: entry.secretsSilencedMs ?? null,
  };
}

/** @throws StaleTree */
export async function insertDotfile(trx: Transaction<Tables>, save: SealedSave): Promise<void> {
  const { userId, entry } = save;
  if ((await liveRow(trx, userId, save.pathMac)) !== undefined) {
    throw new StaleTree(new SpoonError('integrity-failure', 'What is stored under this path is damaged.'));
  }
  await trx
    .insertInto('dotfiles')
    .values({
      id: entry.id,
      user_id: userId,
      path_mac: save.pathMac,
      ...columnsOf(save),
      created_ms: entry.createdMs,
      deleted_ms: null,
    })
    .execute();
  await insertVersion(trx, save);
}

/** @throws StaleTree */
export async function updateDotfile(trx: Transaction<Tables>, before: TreeEntry, save: SealedSave): Promise<void> {
  await updateLive(trx, save.userId, before, columnsOf(save));
  await insertVersion(trx, save);
}

/** A removed dotfile is there again, as its next version. @throws StaleTree */
export async function undelete(trx: Transaction<Tables>, before: TreeEntry, save: SealedSave): Promise<void> {
  if ((await liveRow(trx, save.userId, save.pathMac)) !== undefined) {
    throw new StaleTree(new SpoonError('integrity-failure', 'What is stored under this path is damaged.'));
  }
  const { numUpdatedRows } = await trx
    .updateTable('dotfiles')
    .set({ ...columnsOf(save), deleted_ms: null })
    .where('id', '=', before.id)
    .where('user_id', '=', save.userId)
    .where('last_version', '=', before.lastVersion)
    .where('deleted_ms', 'is not', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new StaleTree(new SpoonError('store-busy'));
  await insertVersion(trx, save);
}

/** Only if the row is still as `before` says. @throws StaleTree */
export async function updateLive(
  trx: Transaction<Tables>,
  userId: string,
  before: TreeEntry,
  columns: Partial<DotfileRow>,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('dotfiles')
    .set(columns)
    .where('id', '=', before.id)
    .where('user_id', '=', userId)
    .where('version', '=', before.version)
    .where('last_version', '=', before.lastVersion)
    .where('deleted_ms', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) throw new StaleTree(new SpoonError('store-busy'));
}

export async function insertVersion(
  trx: Transaction<Tables>,
  { userId, entry, blob, origin }: Omit<SealedSave, 'pathMac' | 'head'>,
): Promise<void> {
  await trx
    .insertInto('dotfile_versions')
    .values({
      dotfile_id: entry.id,
      version: entry.version,
      user_id: userId,
      kind: entry.kind,
      mode: entry.mode,
      size: entry.size,
      content_mac: Buffer.from(entry.content, 'hex'),
      origin,
      created_ms: entry.modifiedMs,
      blob,
    })
    .execute();
}

/**
 * Forgets versions beyond the newest 50, and those that were replaced more than 90 days ago; never the current one. The age
 * counts from the replacement: the state before today's mistake is kept, however long it had been in force.
 */
export async function pruneVersions(trx: Transaction<Tables>, entry: TreeEntry, nowMs: number): Promise<void> {
  await trx
    .deleteFrom('dotfile_versions')
    .where('dotfile_id', '=', entry.id)
    .where('version', '<>', entry.version)
    .where(({ eb, or, selectFrom }) =>
      or([
        eb('version', '<=', entry.lastVersion - keptVersions),
        eb(
          'version',
          '<',
          selectFrom('dotfile_versions as replacing')
            .select(({ fn }) => fn.max('replacing.version').as('version'))
            .where('replacing.dotfile_id', '=', entry.id)
            .where('replacing.created_ms', '<', nowMs - keptVersionsMs),
        ),
      ]),
    )
    .execute();
}

/** Their versions stay, for a restore. @throws StaleTree */
export async function markDeleted(
  trx: Transaction<Tables>,
  { userId, ids, nowMs }: { userId: string; ids: readonly string[]; nowMs: number },
): Promise<void> {
  for (let start = 0; start < ids.length; start += rowsPerStatement) {
    const some = ids.slice(start, start + rowsPerStatement);
    const { numUpdatedRows } = await trx
      .updateTable('dotfiles')
      .set({ deleted_ms: nowMs })
      .where('user_id', '=', userId)
      .where('id', 'in', some)
      .where('deleted_ms', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows !== BigInt(some.length)) throw new StaleTree(new SpoonError('store-busy'));
  }
}

/** Forgets for good what was removed more than 90 days ago, and the oldest beyond as many as a user may have. */
export async function purgeDeleted(trx: Transaction<Tables>, userId: string, nowMs: number): Promise<void> {
  const removed = trx
    .selectFrom('dotfiles')
    .select('id')
    .where('user_id', '=', userId)
    .where('deleted_ms', 'is not', null)
    .limit(purgedAtOnce);
  const old = await removed.where('deleted_ms', '<', nowMs - keptVersionsMs).execute();
  const tooMany = await removed.orderBy('deleted_ms', 'desc').offset(maxDotfilesPerUser).execute();
  const ids = [...old, ...tooMany].map(({ id }) => id);
  for (let start = 0; start < ids.length; start += rowsPerStatement) {
    const some = ids.slice(start, start + rowsPerStatement);
    await trx.deleteFrom('dotfile_versions').where('dotfile_id', 'in', some).execute();
    await trx.deleteFrom('dotfiles').where('id', 'in', some).execute();
  }
}
