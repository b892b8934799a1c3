import type { Usage } from '../../protocol/quotas.ts';
import type { Store } from '../store/database.ts';

type StoredUsage = Pick<Usage, 'dotfiles' | 'dotfileBytes' | 'storedBytes'>;

const nothing: StoredUsage = { dotfiles: 0, dotfileBytes: 0, storedBytes: 0 };

/** What is stored of each user, by id, from sizes that stand beside what is sealed. Folders count as the limit counts them. */
export async function readStoredUsage({ db }: Store): Promise<(userId: string) => StoredUsage> {
  const [current, versions] = await Promise.all([
    db
      .selectFrom('dotfiles')
      .select(['user_id', ({ fn }) => fn.countAll().as('count'), ({ fn }) => fn.sum('size').as('bytes')])
      .where('deleted_ms', 'is', null)
      .groupBy('user_id')
      .execute(),
    db
      .selectFrom('dotfile_versions')
      .select(['user_id', ({ fn }) => fn.sum('size').as('bytes')])
      .groupBy('user_id')
      .execute(),
  ]);
  const usage = new Map<string, StoredUsage>();
  for (const { user_id, count, bytes } of current)
    usage.set(user_id, { ...nothing, dotfiles: Number(count), dotfileBytes: Number(bytes ?? 0) });
  for (const { user_id, bytes } of versions)
    usage.set(user_id, { ...(usage.get(user_id) ?? nothing), storedBytes: Number(bytes ?? 0) });
  return (userId) => usage.get(userId) ?? nothing;
}
