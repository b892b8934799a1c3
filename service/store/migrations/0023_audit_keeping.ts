import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Up to which entry the audit has been let go of, and from where each token has been used. */
export const auditKeeping = {
  number: 23,
  name: 'audit-keeping',
  async up(trx: Transaction<Tables>): Promise<void> {
    await trx.schema
      .createTable('audit_checkpoints')
      .addColumn('seq', 'integer', (column) => column.primaryKey())
      .addColumn('mac', bytes, (column) => column.notNull())
      .addColumn('time_ms', 'bigint', (column) => column.notNull())
      .addColumn('event_seq', 'integer', (column) => column.notNull())
      .addColumn('row_mac', bytes, (column) => column.notNull())
      .execute();
    for (const verb of ['update', 'delete'] as const) {
      await sql`create trigger ${sql.id(`audit_checkpoints_no_${verb}`)} before ${sql.raw(verb)} on audit_checkpoints
        begin select raise(abort, 'checkpoints of the audit are only added to'); end`.execute(trx);
    }
    await sql`drop trigger audit_no_delete`.execute(trx);
    await sql`create trigger audit_no_delete before delete on audit
      when not exists (select 1 from audit_checkpoints where seq >= old.seq)
      begin select raise(abort, 'the audit is only added to'); end`.execute(trx);
    await trx.schema
      .createTable('token_addresses')
      .addColumn('token_id', 'text', (column) => column.notNull().references('tokens.id').onDelete('cascade'))
      .addColumn('address_mac', bytes, (column) => column.notNull())
      .addColumn('first_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('token_addresses_key', ['token_id', 'address_mac'])
      .execute();
  },
};
