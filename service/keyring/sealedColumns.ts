import type { Kysely } from 'kysely';
import { credentialUse } from '../../protocol/repositoryCredential.ts';
import type { SealedUse } from '../../protocol/sealedBox.ts';
import { secretUse } from '../../protocol/secrets.ts';
import type { Tables } from '../store/tables.ts';
import type { BlobContext } from './envelope.ts';

/**
 * Every column that holds something sealed, and what it is bound to: the table of docs/formats.md as code, for who opens all of
 * them without knowing what they are for. A column that is missing here fails a test.
 */

export type SealedRow = Readonly<Record<string, unknown>>;
export type LooseDb = Kysely<Record<string, Record<string, unknown>>>;

export interface SealedColumn {
  readonly table: keyof Tables;
  readonly column: string;
  /** The primary key. */
  readonly key: readonly string[];
  /** The column with the owner's id; absent: the system owns all of them, or the table says it by another one. */
  readonly owner?: string;
  /** The table by whose row the owner is found, and the column that names that row. */
  readonly through?: { readonly table: 'dotfiles' | 'jobs'; readonly column: string };
  /** Undefined: nothing that is stored says what it is for. */
  context(row: SealedRow, uses: SealedUses): Omit<BlobContext, 'ownerId'> | undefined;
}

/** What the sealed values of one owner are for, by `use_mac` in hex. */
export type SealedUses = ReadonlyMap<string, SealedUse>;

/** Type bits of stat(2)'s st_mode, as `dotfiles/sealedDotfile.ts` binds them. */
const typeBits: Readonly<Record<string, number>> = { file: 0o100000, symlink: 0o120000, directory: 0o040000 };
const modeOf = (row: SealedRow): number => (typeBits[String(row.kind)] ?? 0) | Number(row.mode);
const hexOf = (value: unknown): string => Buffer.from(value as Uint8Array).toString('hex');

type Bound = Omit<BlobContext, 'ownerId'>;
const bound = (kind: BlobContext['kind'], objectId: string, version = 0, mode = 0): Bound => ({
  kind,
  objectId,
  version,
  mode,
});

function environmentColumn(part: 'settings' | 'run' | 'log'): SealedColumn {
  const version = part === 'settings' ? 'version' : 'run_version';
  return {
    ...{ table: 'environments', column: `${part}_enc`, key: ['user_id'], owner: 'user_id' },
    context: (row) => bound('file', `${row.user_id}/environment/${part}`, Number(row[version])),
  };
}

function jobColumn(part: 'head' | 'end'): SealedColumn {
  return {
    ...{ table: 'jobs', column: `${part}_enc`, key: ['id'], owner: 'user_id' },
    context: (row) => bound('file', `job/${row.id}/${part}`, 1),
  };
}

export const sealedColumns: readonly SealedColumn[] = [
  {
    ...{ table: 'users', column: 'display_name_enc', key: ['id'], owner: 'id' },
    context: (row) => bound('name', `${row.id}/${row.username}${row.shell}`, Number(row.uid)),
  },
  {
    ...{ table: 'passwords', column: 'hash_enc', key: ['user_id'], owner: 'user_id' },
    context: () => bound('secret', 'password'),
  },
  {
    ...{ table: 'tokens', column: 'name_enc', key: ['id'], owner: 'owner_id' },
    context: (row) => bound('token', String(row.id)),
  },
  {
    ...{ table: 'spoons', column: 'head_enc', key: ['id'], owner: 'user_id' },
    context: (row) => bound('name', String(row.id), Number(row.version)),
  },
  {
    ...{ table: 'threads', column: 'head_enc', key: ['id'], owner: 'user_id' },
    context: (row) => bound('name', String(row.id), 1),
  },
  {
    ...{ table: 'seal_keys', column: 'private_enc', key: ['user_id', 'id'], owner: 'user_id' },
    context: (row) => bound('secret', `seal-key/${row.id}`),
  },
  {
    ...{ table: 'secrets', column: 'head_enc', key: ['user_id', 'use_mac'], owner: 'user_id' },
    context: (row) => bound('name', `secret/${hexOf(row.use_mac)}`),
  },
  {
    ...{ table: 'sealed_values', column: 'box_enc', key: ['user_id', 'use_mac'], owner: 'user_id' },
    context: (row, uses) => {
      const use = uses.get(hexOf(row.use_mac));
      return use === undefined ? undefined : bound('secret', use);
    },
  },
  environmentColumn('settings'),
  environmentColumn('run'),
  environmentColumn('log'),
  jobColumn('head'),
  jobColumn('end'),
  {
    ...{ table: 'job_parts', column: 'blob', key: ['job_id', 'kind', 'start_at'] },
    through: { table: 'jobs', column: 'job_id' },
    context: (row) => bound('file', `job/${row.job_id}/${row.kind}/${row.start_at}`, Number(row.length)),
  },
  {
    ...{ table: 'dotfiles', column: 'path_enc', key: ['id'], owner: 'user_id' },
    context: (row) => bound('name', String(row.id), Number(row.version), modeOf(row)),
  },
  {
    ...{ table: 'dotfile_versions', column: 'blob', key: ['dotfile_id', 'version'] },
    through: { table: 'dotfiles', column: 'dotfile_id' },
    context: (row) => bound('file', String(row.dotfile_id), Number(row.version), modeOf(row)),
  },
  {
    ...{ table: 'audit', column: 'entry_enc', key: ['seq'] },
    context: (row) => bound('secret', 'audit', Number(row.seq)),
  },
];

/** So many parents are asked about in one statement. */
const parentsAtOnce = 100;

/** The keys of all rows of one owner, and of the system those that have no owner. */
export async function* keysOf(
  db: LooseDb,
  { table, key, owner, through }: SealedColumn,
  ownerId: string,
  systemOwnerId: string,
): AsyncGenerator<SealedRow> {
  if (through !== undefined) {
    const parents = await keysOfOwner(db, through.table, ['id'], 'user_id', ownerId);
    for (let start = 0; start < parents.length; start += parentsAtOnce) {
      const ids = parents.slice(start, start + parentsAtOnce).map(({ id }) => id);
      yield* await db
        .selectFrom(table)
        .select([...key])
        .where(through.column, 'in', ids)
        .execute();
    }
  } else if (owner !== undefined) {
    yield* await keysOfOwner(db, table, key, owner, ownerId);
  } else if (ownerId === systemOwnerId) {
    yield* await db
      .selectFrom(table)
      .select([...key])
      .execute();
  }
}

async function keysOfOwner(
  db: LooseDb,
  table: keyof Tables,
  key: readonly string[],
  owner: string,
  ownerId: string,
): Promise<SealedRow[]> {
  const query = db
    .selectFrom(table)
    .select([...key])
    .where(owner, '=', ownerId);
  if (table !== 'dotfiles') return query.execute();
  // Its two indexes are of those that exist and of those that were deleted: a question about both would read the whole table.
  const halves = [query.where('deleted_ms', 'is', null), query.where('deleted_ms', 'is not', null)];
  return (await Promise.all(halves.map((half) => half.execute()))).flat();
}

/** Undefined: gone since its key was read. */
export function rowOf(db: LooseDb, { table, key }: SealedColumn, of: SealedRow): Promise<SealedRow | undefined> {
  let query = db.selectFrom(table).selectAll();
  for (const name of key) query = query.where(name, '=', of[name]);
  return query.executeTakeFirst();
}

/** What the values that clients sealed may be for, from what stands beside them: a secret's name, a credential's host. */
export function usesNamedIn(secretHeads: readonly Uint8Array[], settings: Uint8Array | undefined): SealedUse[] {
  const uses = secretHeads.map((head) => {
    const { name, spoon } = JSON.parse(Buffer.from(head).toString('utf8')) as { name: string; spoon: string | null };
    return secretUse(name, spoon);
  });
  if (settings === undefined) return uses;
  const { credential } = JSON.parse(Buffer.from(settings).toString('utf8')) as {
    credential?: { kind: 'token' | 'key'; host: string };
  };
  return credential === undefined ? uses : [...uses, credentialUse(credential.kind, credential.host)];
}
