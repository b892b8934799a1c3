import type { Store } from '../store/database.ts';
import { readStoredBytes } from '../store/storedBytes.ts';

/** What is known of a user by counting rows: nothing is opened for it. */
export interface UserFacts {
  readonly lastUsedMs: number | null;
  readonly dotfiles: number;
  readonly storedBytes: number;
}

const nothing: UserFacts = { lastUsedMs: null, dotfiles: 0, storedBytes: 0 };

/** Of all users at once, by id. */
export async function readUserFacts(store: Store): Promise<(userId: string) => UserFacts> {
  const [used, current, stored] = await Promise.all([
    store.db
      .selectFrom('tokens')
      .select(['owner_id', ({ fn }) => fn.max('last_used_ms').as('ms')])
      .groupBy('owner_id')
      .execute(),
    store.db
      .selectFrom('dotfiles')
      .select(['user_id', ({ fn }) => fn.countAll().as('count')])
      .where('deleted_ms', 'is', null)
      .where('kind', '!=', 'directory')
      .groupBy('user_id')
      .execute(),
    readStoredBytes(store),
  ]);
  const facts = new Map<string, UserFacts>();
  const add = (id: string, more: Partial<UserFacts>): void => {
    facts.set(id, { ...(facts.get(id) ?? nothing), ...more });
  };
  for (const { owner_id, ms } of used) add(owner_id, { lastUsedMs: ms === null ? null : Number(ms) });
  for (const { user_id, count } of current) add(user_id, { dotfiles: Number(count) });
  for (const [userId, storedBytes] of stored) add(userId, { storedBytes });
  return (userId) => facts.get(userId) ?? nothing;
}
