import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** The key of an owner's hashes, which stays when the data key is exchanged; null: it comes from the data key itself. */
export const macKeys = {
  number: 15,
  name: 'mac-keys',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema.alterTable('data_keys').addColumn('mac_wrapped', bytes).execute();
    // For whoever looks for what has to be done after a start.
    await schema
      .createIndex('data_keys_old')
      .on('data_keys')
      .column('state')
      .where(sql.ref('state'), '=', sql.lit('decrypt-only'))
      .execute();
  },
};
