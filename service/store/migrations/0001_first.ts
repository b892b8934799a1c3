import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Tables } from '../tables.ts';

/**
 * The first schema. PostgreSQL's names of types: SQLite takes them too, and stores bytes and integers as given whatever
 * the declared type (https://sqlite.org/datatype3.html section 3.1).
 */
const bytes: RawBuilder<unknown> = sql`bytea`;
const kinds = sql`kind in ('file', 'symlink', 'directory')`;
const permissionBits = sql`mode between 0 and 511`;

export const first = {
  number: 1,
  name: 'first',
  async up({ schema }: Transaction<Tables>): Promise<void> {
    await schema
      .createTable('migrations')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('applied_ms', 'bigint', (column) => column.notNull())
      .execute();
    await schema
      .createTable('keyring')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('kcv', bytes, (column) => column.notNull())
      .addColumn('kdf_salt', bytes, (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .execute();
    await schema
      .createTable('facts')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute();

    await schema
      .createTable('users')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('username', 'text', (column) => column.notNull().unique())
      .addColumn('display_name_enc', bytes, (column) => column.notNull())
      .addColumn('uid', 'integer', (column) => column.notNull().unique())
      .addColumn('shell', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('disabled_ms', 'bigint')
      .execute();
    // No reference to users: a row outlives its user, so that the uid is never given out again.
    await schema
      .createTable('uids')
      .addColumn('uid', 'integer', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('allocated_ms', 'bigint', (column) => column.notNull())
      .execute();
    await schema
      .createTable('tokens')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('owner_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('name_enc', bytes, (column) => column.notNull())
      .addColumn('hash', bytes, (column) => column.notNull())
      .addColumn('scopes', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_ms', 'bigint', (column) => column.notNull())
      .addColumn('last_used_ms', 'bigint')
      .addColumn('revoked_ms', 'bigint')
      .addCheckConstraint('tokens_kind', sql`kind in ('user', 'admin')`)
      .execute();
    await schema.createIndex('tokens_of_owner').on('tokens').column('owner_id').execute();
    // The owner may be `system`, hence no reference to users.
    await schema
      .createTable('data_keys')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('owner_id', 'text', (column) => column.notNull())
      .addColumn('kek_id', 'text', (column) => column.notNull())
      .addColumn('wrapped', bytes, (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addCheckConstraint('data_keys_state', sql`state in ('active', 'decrypt-only')`)
      .execute();
    await schema
      .createIndex('data_keys_one_active')
      .on('data_keys')
      .column('owner_id')
      .unique()
      .where(sql.ref('state'), '=', sql.lit('active'))
      .execute();

    await schema
      .createTable('dotfiles')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('user_id', 'text', (column) => column.notNull().references('users.id'))
      .addColumn('path_mac', bytes, (column) => column.notNull())
      .addColumn('path_enc', bytes, (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('mode', 'integer', (column) => column.notNull())
      .addColumn('size', 'integer', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('last_version', 'integer', (column) => column.notNull())
      .addColumn('content_mac', bytes, (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      .addColumn('modified_ms', 'bigint', (column) => column.notNull())
      .addColumn('deleted_ms', 'bigint')
      .addCheckConstraint('dotfiles_kind', kinds)
      .addCheckConstraint('dotfiles_mode', permissionBits)
      .execute();
    // Of the files that exist, one per path; any number of deleted ones may have had it. Also serves the list of a user.
    await schema
      .createIndex('dotfiles_one_per_path')
      .on('dotfiles')
      .columns(['user_id', 'path_mac'])
      .unique()
      .where(sql.ref('deleted_ms'), 'is', null)
      .execute();
    await schema
      .createIndex('dotfiles_deleted')
      .on('dotfiles')
      .columns(['user_id', 'deleted_ms'])
      .where(sql.ref('deleted_ms'), 'is not', null)
      .execute();
    await schema
      .createTable('dotfile_versions')
      .addColumn('dotfile_id', 'text', (column) => column.notNull().references('dotfiles.id'))
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('user_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('mode', 'integer', (column) => column.notNull())
      .addColumn('size', 'integer', (column) => column.notNull())
      .addColumn('content_mac', bytes, (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('created_ms', 'bigint', (column) => column.notNull())
      // Last: SQLite reads a row from its start, so that a listing does not walk through the contents.
      .addColumn('blob', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('dotfile_versions_key', ['dotfile_id', 'version'])
      .addCheckConstraint('dotfile_versions_kind', kinds)
      .addCheckConstraint('dotfile_versions_mode', permissionBits)
      .execute();
  },
};
