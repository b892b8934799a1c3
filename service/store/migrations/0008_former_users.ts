import type { Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

/** Names of users who were removed: nobody gets one again, for logs and commits would then name somebody else. */
export const formerUsers = {
  number: 8,
  name: 'former-users',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('former_users')
      .addColumn('username', 'text', (column) => column.primaryKey())
      .addColumn('removed_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
