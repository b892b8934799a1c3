import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseHomePath } from '../protocol/homePath.ts';
import { cacheFolder } from '../scripts/provision/cacheFolder.ts';
import { Dotfiles } from '../service/dotfiles/dotfiles.ts';
import { Tokens } from '../service/identity/tokens.ts';
import { Users } from '../service/identity/users.ts';
import { type Keyring, openKeyring } from '../service/keyring/keyring.ts';
import { readRootKey } from '../service/keyring/rootKey.ts';
import { openStore, type Store } from '../service/store/database.ts';
import { migrations } from '../service/store/migrate.ts';

export const storedUsers = 1_000;
export const filesPerUser = 1_000;
/** Whose dotfiles are asked for; of the others nothing is ever opened. */
export const activeUsers = 20;
const perBatch = 500;

export interface FullStore {
  readonly file: string;
  /** Base64, made for this store alone. */
  readonly key: string;
  /** One of each active user. */
  readonly tokens: readonly string[];
}

/**
 * A database with 1,000 users who have 1,000 dotfiles each, made once and kept. Twenty of them are as people fill them. Those of the others
 * are copies of these rows under ids of their own: as large, as deep in every index, and never opened.
 */
export async function openFullStore(say: (text: string) => void): Promise<FullStore> {
  const folder = join(cacheFolder(), `bench-store-${migrations.at(-1)?.number}`);
  if (!existsSync(folder)) {
    say(`Making ${folder}, once…`);
    const making = `${folder}.${process.pid}`;
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true, mode: 0o700 });
    await make(making);
    await rename(making, folder);
  }
  const key = await readFile(join(folder, 'key'), 'utf8');
  const file = join(folder, 'spoon.db');
  const tokens = await withStore(file, key, async (store, keyring) => {
    // Those of the last run, which count against what one may have.
    await store.db.deleteFrom('tokens').execute();
    const making = new Tokens({
      store,
      keyring,
      onRevoked: () => undefined,
      onError: (error) => assert.fail(String(error)),
    });
    const made: string[] = [];
    for (const { id } of await activeRows(store)) {
      made.push((await making.create({ ownerId: id, kind: 'user', name: 'bench' })).token);
    }
    return made;
  });
  return { file, key, tokens };
}

function activeRows({ db }: Store): Promise<{ id: string }[]> {
  return db.selectFrom('users').select('id').orderBy('uid').limit(activeUsers).execute();
}

async function withStore<T>(
  file: string,
  key: string,
  use: (store: Store, keyring: Keyring) => Promise<T>,
): Promise<T> {
  const store = await openStore(file);
  const keyring = await openKeyring(store, await readRootKey({ key, oldKeys: [] }));
  try {
    return await use(store, keyring);
  } finally {
    keyring.close();
    await store.close();
  }
}

async function make(folder: string): Promise<void> {
  const key = randomBytes(32).toString('base64');
  await writeFile(join(folder, 'key'), key, { mode: 0o600 });
  const file = join(folder, 'spoon.db');
  await withStore(file, key, async (store, keyring) => {
    const users = new Users({ store, keyring, separatesUsers: true });
    for (let count = 1; count <= storedUsers; count++) await users.create({ displayName: `Bench ${count}` });
    const dotfiles = new Dotfiles({ store, keyring, now: Date.now, onDamage: () => assert.fail('damaged') });
    for (const { id } of await activeRows(store)) await fill(dotfiles, id);
    dotfiles.close();
  });
  copyToOthers(file);
}

async function fill(dotfiles: Dotfiles, userId: string): Promise<void> {
  for (let start = 0; start < filesPerUser; start += perBatch) {
    const inputs = Array.from({ length: perBatch }, (_, offset) => {
      const index = start + offset;
      return {
        path: parseHomePath(`.config/folder-${index % 60}/file-${index}.conf`),
        kind: 'file' as const,
        bytes: contentOf(index),
        ifNoneMatch: '*',
        origin: 'import' as const,
      };
    });
    assert.ok((await dotfiles.saveMany(userId, inputs)).every((one) => 'dotfile' in one));
  }
}

/** From 100 bytes to 1 KiB, as most dotfiles are. */
function contentOf(index: number): Uint8Array {
  return Buffer.from(`setting ${index}\n`.repeat(8 + (index % 70)));
}

function copyToOthers(file: string): void {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN');
  const ids = database
    .prepare('SELECT id FROM users ORDER BY uid')
    .all()
    .map(({ id }) => String(id));
  const columnsOf = (table: string, changed: Readonly<Record<string, string>>): { names: string; values: string } => {
    const names = database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => `"${name}"`);
    const values = names.map((name) => changed[name] ?? `old.${name}`);
    return { names: names.join(), values: values.join() };
  };
  const files = columnsOf('dotfiles', { '"id"': 'new.id', '"user_id"': '?2', '"path_mac"': 'randomblob(32)' });
  const versions = columnsOf('dotfile_versions', { '"dotfile_id"': 'new.id', '"user_id"': '?1' });
  database.exec('CREATE TEMP TABLE new (old TEXT PRIMARY KEY, id TEXT)');
  const name = database.prepare(
    'INSERT INTO new SELECT id, lower(hex(randomblob(18))) FROM dotfiles WHERE user_id = ?',
  );
  const copyFiles = database.prepare(
    `INSERT INTO dotfiles (${files.names}) SELECT ${files.values} FROM dotfiles old JOIN new ON new.old = old.id WHERE old.user_id = ?1`,
  );
  const copyVersions = database.prepare(
    `INSERT INTO dotfile_versions (${versions.names}) SELECT ${versions.values} FROM new CROSS JOIN dotfile_versions old ON old.dotfile_id = new.old`,
  );
  for (const [index, id] of ids.entries()) {
    if (index < activeUsers) continue;
    const from = ids[index % activeUsers] ?? '';
    database.exec('DELETE FROM new');
    name.run(from);
    copyFiles.run(from, id);
    copyVersions.run(id);
  }
  database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
  database.close();
}
