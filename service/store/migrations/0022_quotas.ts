import type { Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

/** What single users may use, where that is not what all may. */
export const quotas = {
  number: 22,
  name: 'quotas',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('user_quotas')
      .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id'))
      .addColumn('memory_bytes', 'bigint')
      .addColumn('cpu_millis', 'integer')
      .addColumn('processes', 'integer')
      .addColumn('terminals', 'integer')
      .addColumn('dotfiles', 'integer')
      .addColumn('dotfile_bytes', 'bigint')
      .addColumn('home_bytes', 'bigint')
      .execute();
  },
};
