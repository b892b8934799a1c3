import type { Usage } from '../../protocol/quotas.ts';
import type { Store } from '../store/database.ts';
import { readStoredBytes } from '../store/storedBytes.ts';

type StoredUsage = Pick<Usage, 'dotfiles' | 'dotfileBytes' | 'storedBytes'>;

const nothing: StoredUsage = { dotfiles: 0, dotfileBytes: 0, storedBytes: 0 };

/** What is stored of each user, by id, from sizes that stand beside what is sealed. Folders count as the limit counts them. */
export async function readStoredUsage(store: Store): Promise<(userId: string) => StoredUsage> {
  const [current, stored] = await Promise.all([
    store.db
      .selectFrom('dotfiles')
      .select(['user_id', ({ fn }) => fn.countAll().as('count'), ({ fn }) => fn.sum('size').as('bytes')])
      .where('deleted_ms', 'is', null)
      .groupBy('user_id')
      .execute(),
    readStoredBytes(store),
  ]);
  const usage = new Map<string, StoredUsage>();
  for (const { user_id, count, bytes } of current)
    usage.set(user_id, { ...nothing, dotfiles: Number(count), dotfileBytes: Number(bytes ?? 0) });
  for (const [userId, storedBytes] of stored) usage.set(userId, { ...(usage.get(userId) ?? nothing), storedBytes });
  return (userId) => usage.get(userId) ?? nothing;
}
