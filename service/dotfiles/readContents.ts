import { SpoonError } from '../../protocol/errors.ts';
import type { HomePath } from '../../protocol/homePath.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { Store } from '../store/database.ts';
import type { DotfileVersionRow } from '../store/tables.ts';
import { openContents } from './sealedDotfile.ts';
import type { TreeEntry } from './tree.ts';
import type { Damage } from './userTrees.ts';

/** What is in the clear at once, and how long others wait while it is opened: about 2 ms. */
const entriesAtOnce = 64;
const bytesAtOnce = 1024 * 1024;

/**
 * The bytes of dotfiles as the tree knows them, in their order. A version never changes, so it is what the tree says even when
 * the file has been saved again meanwhile. Left out is one whose version is no longer kept, and what is damaged.
 */
export async function* readContents(
  parts: { readonly store: Store; readonly keyring: Keyring; readonly onDamage: (damage: Damage) => void },
  userId: string,
  entries: readonly TreeEntry[],
): AsyncGenerator<{ path: HomePath; bytes: Uint8Array }, void, undefined> {
  for (const batch of batchesOf(entries)) {
    const rows = new Map((await versionRows(parts.store, userId, batch)).map((row) => [row.dotfile_id, row]));
    const there = batch.flatMap((entry) => {
      const row = rows.get(entry.id);
      return row === undefined ? [] : [{ entry, row }];
    });
    const opened = await openContents(
      parts.keyring,
      there.map(({ row }) => row),
    );
    for (const [index, { entry, row }] of there.entries()) {
      const bytes = opened[index];
      if (bytes instanceof Uint8Array && isOf(row, entry)) {
        yield { path: entry.path, bytes };
        continue;
      }
      const error = bytes instanceof SpoonError ? bytes : new SpoonError('integrity-failure');
      parts.onDamage({ userId, dotfileId: entry.id, error });
    }
  }
}

/** The sealed head, from which the tree comes, vouches for these columns. */
function isOf(row: DotfileVersionRow, entry: TreeEntry): boolean {
  return (
    row.kind === entry.kind &&
    row.mode === entry.mode &&
    row.size === entry.size &&
    Buffer.from(row.content_mac).toString('hex') === entry.content
  );
}

function* batchesOf(entries: readonly TreeEntry[]): Generator<TreeEntry[]> {
  let batch: TreeEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length > 0 && (batch.length === entriesAtOnce || bytes + entry.size > bytesAtOnce)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += entry.size;
  }
  if (batch.length > 0) yield batch;
}

/** In no order; missing where it is gone. */
function versionRows(store: Store, userId: string, wanted: readonly TreeEntry[]): Promise<DotfileVersionRow[]> {
  return store.db
    .selectFrom('dotfile_versions')
    .selectAll()
    .where('user_id', '=', userId)
    .where((is) =>
      is(
        is.refTuple('dotfile_id', 'version'),
        'in',
        wanted.map(({ id, version }) => is.tuple(id, version)),
      ),
    )
    .execute();
}
