import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

const bytes: RawBuilder<unknown> = sql`bytea`;

/** Agent jobs: what they were asked, printed and changed outlives their box. */
export const jobs = {
  number: 9,
  name: 'jobs',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('jobs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('started_ms', 'bigint')
      .addColumn('ended_ms', 'bigint')
      .addColumn('output_bytes', 'bigint', (column) => column.notNull())
      .addColumn('head_enc', bytes, (column) => column.notNull())
      .addColumn('end_enc', bytes)
      .addCheckConstraint(
        'jobs_state',
        sql`state in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed-out', 'lost')`,
      )
      .execute();
    await schema.createIndex('jobs_of_user').on('jobs').columns(['user_id', 'created_ms']).execute();
    // Log and diff in pieces, so that a log grows without being written anew, and its middle can go.
    await schema
      .createTable('job_parts')
      .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('start_at', 'bigint', (column) => column.notNull())
      .addColumn('length', 'integer', (column) => column.notNull())
      .addColumn('blob', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('job_parts_key', ['job_id', 'kind', 'start_at'])
      .addCheckConstraint('job_parts_kind', sql`kind in ('log', 'diff')`)
      .execute();
    await schema
      .createTable('worker_tokens')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('job_id', 'text', (column) => column.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('hash', bytes, (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .execute();
  },
};
