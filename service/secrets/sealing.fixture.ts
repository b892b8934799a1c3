import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import sodium from 'libsodium-wrappers';
import { packSealed, type SealedUse, sealedHeader } from '../../protocol/sealedBox.ts';
import type { SealKey } from '../../protocol/sealKeys.ts';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { SealedValues } from './sealedValues.ts';

/** A real store and keyring with the users ada and bo, gone after the test. */
export class SealingBench {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly values: SealedValues;

  private constructor(store: Store, keyring: Keyring) {
    this.store = store;
    this.keyring = keyring;
    this.values = new SealedValues({ store, keyring, now: () => 1_700_000_000_000 });
  }

  static async open(t: TestContext): Promise<SealingBench> {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-sealing-'));
    const store = await openStore(join(folder, 'spoon.db'));
    const root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
    const bench = new SealingBench(store, await openKeyring(store, root));
    t.after(async () => {
      bench.keyring.close();
      await store.close();
      await rm(folder, { recursive: true });
    });
    for (const [index, id] of ['ada', 'bo'].entries()) {
      await store.transaction(async (trx) => {
        await bench.keyring.createDataKey(id, trx);
        const place = { id, username: id, uid: 100_001 + index, shell: '/bin/bash' };
        const rest = { display_name_enc: new Uint8Array(), created_ms: 1, disabled_ms: null };
        await trx
          .insertInto('users')
          .values({ ...place, ...rest })
          .execute();
      });
    }
    return bench;
  }

  /** As a client does. */
  async put(userId: string, use: SealedUse, text: string): Promise<void> {
    const box = await seal(await this.values.key(userId), use, text);
    const checked = await this.values.check(userId, use, box, { maxBytes: 1024 });
    await this.store.transaction((trx) => this.values.write(trx, checked));
  }

  async text(userId: string, use: SealedUse): Promise<string | undefined> {
    const value = await this.values.open(userId, use);
    return value === undefined ? undefined : Buffer.from(value).toString();
  }
}

export async function seal({ keyId, publicKey }: SealKey, use: SealedUse, value: string | Uint8Array): Promise<Buffer> {
  await sodium.ready;
  const content = packSealed(use, Buffer.from(value as string));
  return Buffer.concat([
    sealedHeader(keyId),
    sodium.crypto_box_seal(content, Uint8Array.from(Buffer.from(publicKey, 'base64'))),
  ]);
}
