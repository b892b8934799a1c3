import type { Store } from './database.ts';

/** What all versions of each user's dotfiles hold, in bytes, by the user's id: from sizes that stand beside what is sealed. */
export async function readStoredBytes({ db }: Store): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('dotfile_versions')
    .select(['user_id', ({ fn }) => fn.sum('size').as('bytes')])
    .groupBy('user_id')
    .execute();
  return new Map(rows.map(({ user_id, bytes }) => [user_id, Number(bytes ?? 0)]));
}
