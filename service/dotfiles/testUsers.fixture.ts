import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type HomePath, parseHomePath } from '../../protocol/homePath.ts';
import { maxDotfilesPerUser } from '../../protocol/limits.ts';
import type { Limits } from '../../protocol/quotas.ts';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Dotfiles } from './dotfiles.ts';
import type { SaveInput } from './planSave.ts';
import type { Damage } from './userTrees.ts';

/** A real store and keyring in a folder of their own, with users; all gone after the test. */
export class TestUsers {
  readonly file: string;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly damages: Damage[] = [];
  /** What `now()` says; moved by tests. */
  nowMs = 1_700_000_000_000;
  /** What each user may have. */
  limits: Pick<Limits, 'dotfiles' | 'dotfileBytes'> = { dotfiles: maxDotfilesPerUser, dotfileBytes: null };
  dotfiles: Dotfiles;

  private constructor(file: string, store: Store, keyring: Keyring) {
    this.file = file;
    this.store = store;
    this.keyring = keyring;
    this.dotfiles = this.reopen();
  }

  static async open(t: TestContext, ...names: string[]): Promise<TestUsers> {
    const file = join(await mkdtemp(join(tmpdir(), 'spoon-dotfiles-')), 'spoon.db');
    const root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
    const store = await openStore(file);
    const users = new TestUsers(file, store, await openKeyring(store, root));
    t.after(async () => {
      users.keyring.close();
      await store.close();
      await rm(join(file, '..'), { recursive: true });
    });
    for (const name of names) await users.add(name);
    return users;
  }

  /** The id is the name. */
  async add(name: string): Promise<void> {
    await this.store.transaction(async (trx) => {
      await this.keyring.createDataKey(name, trx);
      const { count } = await trx
        .selectFrom('users')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      await trx
        .insertInto('users')
        .values({
          id: name,
          username: name,
          display_name_enc: new Uint8Array(),
          uid: 100_000 + count,
          shell: '/bin/bash',
          created_ms: 1,
          disabled_ms: null,
        })
        .execute();
    });
  }

  /** With nothing in memory, as after a restart. */
  reopen(): Dotfiles {
    this.dotfiles = new Dotfiles({
      store: this.store,
      keyring: this.keyring,
      now: () => this.nowMs,
      limitsOf: () => this.limits,
      onDamage: (damage) => this.damages.push(damage),
    });
    return this.dotfiles;
  }
}

export const at = (path: string): HomePath => parseHomePath(path);

/** A save of a file, new unless it says otherwise. */
export function saveOf(path: string, text: string | Uint8Array, rest: Partial<SaveInput> = {}): SaveInput {
  return { path: at(path), kind: 'file', bytes: Buffer.from(text as string), origin: 'api', ...rest };
}
