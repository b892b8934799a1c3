import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Passwords and the invites with which they are first chosen. */
export const signIn = {
  number: 10,
  name: 'sign-in',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('passwords')
      .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id'))
      .addColumn('hash_enc', bytes, (column) => column.notNull())
      .addColumn('changed_ms', 'bigint', (column) => column.notNull())
      .execute();
    await schema
      .createTable('invites')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().unique().references('users.id'))
      .addColumn('hash', bytes, (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
