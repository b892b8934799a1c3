import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Terminals that others may see for a while. They outlive a restart of the service, as terminals do. */
export const terminalShares = {
  number: 20,
  name: 'terminal-shares',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('terminal_shares')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('owner_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('guest_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('terminal_id', 'text', (column) => column.notNull())
      .addColumn('may_write', 'integer', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .addColumn('mac', bytes, (column) => column.notNull())
      .execute();
  },
};
