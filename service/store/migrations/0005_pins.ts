import type { Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

/** Until when boxes are kept up by their users' wish. */
export const pins = {
  number: 5,
  name: 'pins',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('box_pins')
      .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id'))
      .addColumn('until_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
