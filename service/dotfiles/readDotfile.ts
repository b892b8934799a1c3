import type { DotfileKind } from '../../protocol/dotfiles.ts';
import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { DotfileRow, DotfileVersionRow } from '../store/tables.ts';
import { liveRow, versionRow } from './dotfileRows.ts';
import { etagOf, openContent, openHead, pathMac } from './sealedDotfile.ts';

export interface ReadDotfile {
  readonly bytes: Uint8Array;
  readonly kind: DotfileKind;
  readonly mode: number;
  readonly version: number;
  readonly etag: string;
  readonly modifiedMs: number;
}

interface Parts {
  readonly store: Store;
  readonly keyring: Keyring;
}

/** The row of a path, once it is known to be that path's. @throws SpoonError `not-found`, `integrity-failure`, `key-unavailable` */
export async function findRow({ store, keyring }: Parts, userId: string, path: HomePath): Promise<DotfileRow> {
  const row = await liveRow(store.db, userId, await pathMac(keyring, userId, path));
  if (row === undefined) throw new SpoonError('not-found');
  return checkedAs(row.id, async () => {
    if ((await openHead(keyring, row)) !== path) throw new SpoonError('integrity-failure');
    return row;
  });
}

/**
 * @param version default: the current one
 * @throws SpoonError `not-found`, `integrity-failure` (with `dotfileId`), `key-unavailable`
 */
export async function readVersion({ store, keyring }: Parts, row: DotfileRow, version?: number): Promise<ReadDotfile> {
  const wanted = version ?? row.version;
  const stored = await versionRow(store.db, { userId: row.user_id, id: row.id, version: wanted });
  if (stored === undefined && wanted !== row.version) throw new SpoonError('not-found', 'The version is not kept.');
  return checkedAs(row.id, async () => {
    if (stored === undefined) throw new SpoonError('integrity-failure');
    if (wanted === row.version) checkCurrent(row, stored);
    const { kind, mode, content_mac } = stored;
    const content = Buffer.from(content_mac).toString('hex');
    return {
      bytes: await openContent(keyring, stored),
      kind,
      mode,
      version: wanted,
      etag: etagOf({ id: row.id, version: wanted, content }),
      modifiedMs: stored.created_ms,
    };
  });
}

/** The head vouches for the columns of the row; those of its version must be the same. */
function checkCurrent(row: DotfileRow, stored: DotfileVersionRow): void {
  const isSame =
    stored.kind === row.kind &&
    stored.mode === row.mode &&
    stored.size === row.size &&
    Buffer.from(stored.content_mac).equals(row.content_mac);
  if (!isSame) throw new SpoonError('integrity-failure');
}

/** Names the object that failed, for the log: its id says nothing about it. */
export async function checkedAs<T>(dotfileId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SpoonError) || error.code !== 'integrity-failure') throw error;
    throw new SpoonError('integrity-failure', 'Your other files are not affected.', {
      cause: error,
      extra: { dotfileId },
    });
  }
}
