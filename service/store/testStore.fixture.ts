import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openStore, type Store } from './database.ts';

/** A real store in a folder of its own; gone after the test. */
export async function openTestStore(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'spoon-store-'));
  const store = await openStore(join(folder, 'spoon.db'));
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });
  return store;
}

/** Their rows alone: what is sealed for them needs a keyring, which is to be opened before. The ids are the names. */
export async function addTestUsers(store: Store, ...userIds: string[]): Promise<void> {
  for (const [index, id] of userIds.entries()) {
    const place = { id, username: id, uid: 100_001 + index, shell: '/bin/bash' };
    const rest = { display_name_enc: new Uint8Array(), created_ms: 1, disabled_ms: null };
    await store.db
      .insertInto('users')
      .values({ ...place, ...rest })
      .execute();
  }
}
