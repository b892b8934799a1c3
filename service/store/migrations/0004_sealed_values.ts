import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Values that clients seal, and the keys they seal them for. */
export const sealedValues = {
  number: 4,
  name: 'sealed-values',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('seal_keys')
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('private_enc', bytes, (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('seal_keys_key', ['user_id', 'id'])
      .addCheckConstraint('seal_keys_state', sql`state in ('active', 'open-only')`)
      .execute();
    await schema
      .createIndex('seal_keys_one_active')
      .on('seal_keys')
      .column('user_id')
      .unique()
      .where(sql.ref('state'), '=', sql.lit('active'))
      .execute();
    await schema
      .createTable('sealed_values')
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('use_mac', bytes, (column) => column.notNull())
      .addColumn('seal_key_id', 'text', (column) => column.notNull())
      .addColumn('updated_ms', 'bigint', (column) => column.notNull())
      .addColumn('box_enc', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('sealed_values_key', ['user_id', 'use_mac'])
      .addForeignKeyConstraint('sealed_values_seal_key', ['user_id', 'seal_key_id'], 'seal_keys', ['user_id', 'id'])
      .execute();
  },
};
