import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Who did what. Only ever added to: the triggers are against mistakes, the chain (`audit/audit.ts`) against intent. */
export const audit = {
  number: 11,
  name: 'audit',
  async up(trx: Transaction<Tables>): Promise<void> {
    await trx.schema
      .createTable('audit')
      .addColumn('seq', 'integer', (column) => column.primaryKey())
      .addColumn('time_ms', 'bigint', (column) => column.notNull())
      .addColumn('entry_enc', bytes, (column) => column.notNull())
      .addColumn('mac', bytes, (column) => column.notNull())
      .execute();
    for (const verb of ['update', 'delete'] as const) {
      await sql`create trigger ${sql.id(`audit_no_${verb}`)} before ${sql.raw(verb)} on audit
        begin select raise(abort, 'the audit is only added to'); end`.execute(trx);
    }
  },
};
