import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Everything that is stored of one user, in an order in which nothing is referred to any more when it goes. */
const tablesByUserId = [
  'jobs',
  'passwords',
  'invites',
  'oidc_identities',
  'box_pins',
  'user_quotas',
  'environments',
  'secrets',
  'sealed_values',
  'seal_keys',
  'threads',
  'spoons',
  'dotfile_versions',
  'dotfiles',
] as const satisfies readonly (keyof Tables)[];

/** Not the keys, which go first, and not the uid, which nobody gets again. */
export async function deleteUserRows(trx: Transaction<Tables>, userId: string): Promise<void> {
  for (const table of tablesByUserId) await trx.deleteFrom(table).where('user_id', '=', userId).execute();
  for (const side of ['owner_id', 'guest_id'] as const) {
    await trx.deleteFrom('terminal_shares').where(side, '=', userId).execute();
  }
  await trx.deleteFrom('tokens').where('owner_id', '=', userId).execute();
  await trx.deleteFrom('users').where('id', '=', userId).execute();
}
