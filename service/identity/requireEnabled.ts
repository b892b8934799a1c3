import type { Transaction } from 'kysely';
import { SpoonError } from '../../protocol/errors.ts';
import type { Tables } from '../store/tables.ts';

/**
 * In the transaction that gives a user a way in: what disabling has just taken away must not come back by a request that was
 * under way.
 * @throws SpoonError `user-disabled` also for a user who is gone
 */
export async function requireEnabled(trx: Transaction<Tables>, userId: string): Promise<void> {
  const row = await trx.selectFrom('users').select('disabled_ms').where('id', '=', userId).executeTakeFirst();
  if (row === undefined || row.disabled_ms !== null) throw new SpoonError('user-disabled');
}
