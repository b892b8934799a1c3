import type { Kysely } from 'kysely';
import type { DotfileRow, Tables } from '../store/tables.ts';

/** Opening one page of names takes about 10 ms; others get their turn after it (security.md R12). */
const rowsPerPage = 500;
const treeColumns = [
  'id',
  'path_enc',
  'kind',
  'mode',
  'size',
  'version',
  'last_version',
  'content_mac',
  'created_ms',
  'modified_ms',
  'drift_version',
  'drift_base',
  'secrets_silenced_ms',
] as const;

/** What the tree is made of. A third less than all of a row, and as much quicker to read. */
export type TreeRow = Pick<DotfileRow, (typeof treeColumns)[number]>;

/** @returns `end`: what the next page comes after; absent on the last */
export async function pageOfLiveRows(
  db: Kysely<Tables>,
  userId: string,
  after: Uint8Array,
): Promise<{ rows: TreeRow[]; end?: Uint8Array | undefined }> {
  const rest = db
    .selectFrom('dotfiles')
    .where('user_id', '=', userId)
    .where('deleted_ms', 'is', null)
    .where('path_mac', '>', after);
  const last = await rest
    .select('path_mac')
    .orderBy('path_mac')
    .limit(1)
    .offset(rowsPerPage - 1)
    .executeTakeFirst();
  const page = last === undefined ? rest : rest.where('path_mac', '<=', last.path_mac);
  return { rows: await page.select(treeColumns).execute(), end: last?.path_mac };
}
