import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** What there is of each secret beside its value, which is in `sealed_values`. */
export const secrets = {
  number: 7,
  name: 'secrets',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('secrets')
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('use_mac', bytes, (column) => column.notNull())
      .addColumn('head_enc', bytes, (column) => column.notNull())
      .addColumn('size', 'integer', (column) => column.notNull())
      .addColumn('updated_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('secrets_key', ['user_id', 'use_mac'])
      .execute();
  },
};
