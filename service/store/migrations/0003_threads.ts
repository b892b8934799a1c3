import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Spoons and threads: what they are called and where they come from is sealed, like the names of dotfiles (decision 7). */
export const threads = {
  number: 3,
  name: 'threads',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('spoons')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('name_mac', bytes, (column) => column.notNull())
      .addColumn('head_enc', bytes, (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('spoons_one_per_name', ['user_id', 'name_mac'])
      .execute();
    await schema
      .createTable('threads')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('spoon_id', 'text', (column) => column.notNull().references('spoons.id'))
      .addColumn('branch_mac', bytes, (column) => column.notNull())
      .addColumn('head_enc', bytes, (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('used_ms', 'bigint', (column) => column.notNull())
      .addUniqueConstraint('threads_one_per_branch', ['user_id', 'spoon_id', 'branch_mac'])
      .execute();
  },
};
