import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Which identity at a sign-in provider is which account. */
export const oidcIdentities = {
  number: 21,
  name: 'oidc-identities',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('oidc_identities')
      .addColumn('user_id', 'text', (column) => column.primaryKey().references('users.id'))
      .addColumn('subject_mac', bytes, (column) => column.notNull().unique())
      .addColumn('link_mac', bytes, (column) => column.notNull())
      .addColumn('linked_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
