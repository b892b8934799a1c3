import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Users who may sign in as administrators. */
export const administrators = {
  number: 19,
  name: 'administrators',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema.alterTable('users').addColumn('admin_mac', bytes).execute();
  },
};
