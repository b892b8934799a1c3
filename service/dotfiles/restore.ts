import type { DeletedDotfile, DotfileHistory } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import { keptVersionsMs } from '../../protocol/limits.ts';
import type { DotfileRow } from '../store/tables.ts';
import { deletedRows, rowById, versionFacts } from './dotfileRows.ts';
import { type DotfileParts, type PlannedSave, planSave } from './planSave.ts';
import { checkedAs, findRow, readVersion } from './readDotfile.ts';
import { openEntry, openHead, pathMac } from './sealedDotfile.ts';
import type { DotfileTree } from './tree.ts';

/** Which dotfile is meant: what is at a path, or the one of an id, which may have been removed. */
export type DotfileName = { readonly path: HomePath } | { readonly id: string };

/** @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
export async function rowOf(parts: DotfileParts, userId: string, name: DotfileName): Promise<DotfileRow> {
  if ('path' in name) return findRow(parts, userId, name.path);
  const row = await rowById(parts.store.db, userId, name.id);
  if (row === undefined || !isKept(row, parts.now())) throw new SpoonError('not-found');
  return row;
}

/** Newest first. @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
export async function historyOf(parts: DotfileParts, userId: string, name: DotfileName): Promise<DotfileHistory> {
  const row = await rowOf(parts, userId, name);
  const path = await checkedAs(row.id, () => openHead(parts.keyring, row));
  const facts = await versionFacts(parts.store.db, { userId, id: row.id, current: row.version });
  return {
    id: row.id,
    path,
    ...(row.deleted_ms === null ? {} : { deletedMs: row.deleted_ms }),
    versions: facts.map(({ version }) => version),
  };
}

/** The last one removed first. Left out is what is damaged: nobody could tell what it was. */
export async function listDeleted({ store, keyring, now }: DotfileParts, userId: string): Promise<DeletedDotfile[]> {
  const found = await deletedRows(store.db, { userId, sinceMs: now() - keptVersionsMs });
  const deleted: DeletedDotfile[] = [];
  for (const row of found) {
    const entry = await openEntry(keyring, row).catch((error: unknown) => {
      if (error instanceof SpoonError && error.code === 'integrity-failure') return undefined;
      throw error;
    });
    const deletedMs = row.deleted_ms;
    if (entry === undefined || deletedMs === null) continue;
    const { id, path, kind, mode, size, version } = entry;
    deleted.push({ id, path, kind, mode, size, version, deletedMs, forgottenMs: deletedMs + keptVersionsMs });
  }
  return deleted;
}

/**
 * @param etag the version that is to be replaced; without it whatever is current
 * @throws SpoonError `not-found`, `request-invalid` where no version is named for a file that exists, and as a save
 */
export async function planRestore(
  parts: DotfileParts,
  userId: string,
  tree: DotfileTree,
  { name, version, etag }: { name: DotfileName; version?: number | undefined; etag?: string | undefined },
): Promise<PlannedSave> {
  const row = await rowToRestore(parts, userId, tree, name);
  const isRemoved = row.deleted_ms !== null;
  if (!isRemoved && version === undefined) throw new SpoonError('request-invalid', 'Say which version.');
  const entry = await checkedAs(row.id, () => openEntry(parts.keyring, row));
  const { bytes, kind, mode } = await readVersion(parts, row, version);
  const there = tree.get(entry.path);
  if (isRemoved && there !== undefined && etag === undefined) {
    throw new SpoonError('file-exists', `${entry.path} is there again. Move it away first.`);
  }
  const input = {
    path: entry.path,
    kind,
    bytes,
    mode: kind === 'symlink' ? undefined : mode,
    origin: 'restore',
  } as const;
  return planSave(parts, userId, tree, { ...input, ifMatch: etag ?? there?.etag }, isRemoved ? entry : undefined);
}

async function rowToRestore(
  parts: DotfileParts,
  userId: string,
  tree: DotfileTree,
  name: DotfileName,
): Promise<DotfileRow> {
  if ('id' in name || tree.get(name.path) !== undefined) return rowOf(parts, userId, name);
  const { store, keyring, now } = parts;
  const mac = await pathMac(keyring, userId, name.path);
  const [last] = await deletedRows(store.db, { userId, sinceMs: now() - keptVersionsMs, mac });
  if (last === undefined) throw new SpoonError('not-found', 'Nothing that could be restored is known by that path.');
  return last;
}

function isKept({ deleted_ms }: DotfileRow, nowMs: number): boolean {
  return deleted_ms === null || deleted_ms >= nowMs - keptVersionsMs;
}
