import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Keyring, openKeyring, systemOwnerId } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { TokenAddresses } from './tokenAddresses.ts';
import { Tokens } from './tokens.ts';

describe('from where a token is used', () => {
  let folder: string;
  let store: Store;
  let keyring: Keyring;
  let token: string;
  let told: string[];
  let nowMs = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-addresses-'));
    store = await openStore(join(folder, 'spoon.db'));
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    const tokens = new Tokens({
      store,
      keyring,
      onRevoked: () => undefined,
      onError: (error) => assert.fail(String(error)),
    });
    token = (await tokens.create({ ownerId: systemOwnerId, kind: 'admin', name: 'x' })).info.id;
    told = [];
  });
  afterEach(async () => {
    keyring.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  /** As a service that has just started. */
  const open = (maxPerToken = 64) => new TokenAddresses({ store, keyring, now: () => ++nowMs, maxPerToken });
  const use = (addresses: TokenAddresses, network: string) =>
    addresses.note(token, network, async () => void told.push(network));
  const rows = () => store.db.selectFrom('token_addresses').selectAll().execute();

  it('is told the first time from each network, also by the next service', async () => {
    const addresses = open();
    await use(addresses, '192.0.2.1');
    await use(addresses, '192.0.2.1');
    await use(addresses, '198.51.100.1');
    await use(open(), '192.0.2.1');
    assert.deepEqual(told, ['192.0.2.1', '198.51.100.1']);
  });

  it('is not to be read in the store, and is forgotten with the token', async () => {
    await use(open(), '192.0.2.1');
    assert.ok(!JSON.stringify(await rows()).includes('192.0.2.1'));
    await store.db.deleteFrom('tokens').where('id', '=', token).execute();
    assert.deepEqual(await rows(), []);
    await use(open(), '192.0.2.1');
    assert.deepEqual(await rows(), [], 'a request that was under way');
  });

  it('is told again when it could not be written down', async () => {
    const addresses = open();
    const full = new Error('full');
    await assert.rejects(
      addresses.note(token, '192.0.2.1', () => Promise.reject(full)),
      full,
    );
    await use(addresses, '192.0.2.1');
    assert.deepEqual(told, ['192.0.2.1']);
  });

  it('is remembered of so many networks', async () => {
    const addresses = open(3);
    for (let host = 0; host < 10; host++) await use(addresses, `192.0.2.${host}`);
    assert.equal((await rows()).length, 3);
    await use(open(3), '192.0.2.9');
    assert.equal(told.length, 10, 'the newest are kept');
  });
});
