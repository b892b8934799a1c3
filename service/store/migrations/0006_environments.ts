import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** The dotfiles repository of each user: what they chose, and what the last run said, which outlives its box. */
export const environments = {
  number: 6,
  name: 'environments',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('environments')
      .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id'))
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('settings_enc', bytes, (column) => column.notNull())
      .addColumn('run_version', 'integer', (column) => column.notNull())
      .addColumn('run_enc', bytes)
      .addColumn('log_enc', bytes)
      .execute();
  },
};
