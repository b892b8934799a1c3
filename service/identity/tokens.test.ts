import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { formatToken, parseToken } from '../../protocol/tokenFormat.ts';
import { type Keyring, openKeyring, systemOwnerId } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Tokens } from './tokens.ts';
import { type Account, Users } from './users.ts';

const dayMs = 86_400_000;

describe('tokens', () => {
  let folder: string;
  let store: Store;
  let keyring: Keyring;
  let tokens: Tokens;
  let users: Users;
  let ada: Account;
  let bo: Account;
  let nowMs = Date.parse('2026-01-01');
  let queries = 0;
  const revoked: string[] = [];
  const errors: unknown[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-tokens-'));
    store = await openStore(join(folder, 'spoon.db'));
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    users = new Users({ store, keyring, separatesUsers: true });
    ada = await users.create({ displayName: 'Ada' });
    bo = await users.create({ displayName: 'Bo' });
    const counted: Store = {
      ...store,
      get db() {
        queries++;
        return store.db;
      },
    };
    tokens = new Tokens({
      store: counted,
      keyring,
      onRevoked: (id) => revoked.push(id),
      onError: (error) => errors.push(error),
      now: () => nowMs,
    });
  });
  after(async () => {
    await tokens.settle();
    await store.close();
    assert.deepEqual(errors, []);
    await rm(folder, { recursive: true, force: true });
  });

  const create = (name = 'laptop', lifeDays?: number) =>
    tokens.create({ ownerId: ada.id, kind: 'user', name, ...(lifeDays === undefined ? {} : { lifeDays }) });

  it('say who somebody is', async () => {
    const { token, info } = await create();
    const holder = await tokens.verify(token);
    assert.deepEqual([holder.kind, holder.userId, holder.username, holder.tokenId], ['user', ada.id, 'ada', info.id]);
    assert.ok(holder.scopes.has('files:read') && !holder.scopes.has('admin:users'));
    assert.equal(info.expiresMs - info.createdMs, 90 * dayMs);
  });

  it('of an admin have no user and none of a user’s scopes', async () => {
    const { token } = await tokens.create({ ownerId: systemOwnerId, kind: 'admin', name: 'ops' });
    const holder = await tokens.verify(token);
    assert.deepEqual([holder.kind, holder.userId, holder.username], ['admin', null, null]);
    assert.deepEqual([...holder.scopes].sort(), ['admin:audit', 'admin:boxes', 'admin:system', 'admin:users']);
  });

  it('that are garbage cost no query', async () => {
    const { token } = await create();
    const before = queries;
    const flipped = token.slice(0, 30) + (token[30] === 'x' ? 'y' : 'x') + token.slice(31);
    for (const text of ['', 'x', flipped, `${token} `, token.toUpperCase()]) {
      await assert.rejects(tokens.verify(text), { code: 'unauthenticated' });
    }
    assert.equal(queries, before);
  });

  it('with the right id and a wrong secret, of another kind or another service are all the same', async () => {
    const { token } = await create();
    const parts = parseToken(token);
    assert.ok(parts);
    const wrong = [
      formatToken({ ...parts, secret: 'x'.repeat(43) }),
      formatToken({ ...parts, kind: 'a' }),
      formatToken({ ...parts, kind: 't' }),
      formatToken({ kind: 'u', id: 'x'.repeat(12), secret: parts.secret }),
    ];
    for (const text of wrong) await assert.rejects(tokens.verify(text), { code: 'unauthenticated' });
    await tokens.verify(token);
  });

  it('end when they expire, and are then called expired only to who has them', async () => {
    const { token } = await create('short', 1);
    const parts = parseToken(token);
    assert.ok(parts);
    nowMs += dayMs - 1;
    await tokens.verify(token);
    nowMs += 1;
    await assert.rejects(tokens.verify(token), { code: 'token-expired' });
    const guess = formatToken({ ...parts, secret: 'x'.repeat(43) });
    await assert.rejects(tokens.verify(guess), { code: 'unauthenticated' });
  });

  it('end when they are revoked, by their owner only, and tell so', async () => {
    const { token, info } = await create('lost');
    await assert.rejects(tokens.revoke(info.id, bo.id), { code: 'not-found' });
    await tokens.verify(token);
    await tokens.revoke(info.id, ada.id);
    assert.equal(revoked.at(-1), info.id);
    await assert.rejects(tokens.verify(token), { code: 'unauthenticated' });
    await assert.rejects(tokens.revoke(info.id, ada.id), { code: 'not-found' });
    assert.ok(!(await tokens.list(ada.id)).some(({ id }) => id === info.id));
  });

  it('live longer when renewed, the same token, but never past a year after they were made', async () => {
    const { token, info } = await create('long', 2);
    nowMs += dayMs;
    const renewed = await tokens.renew(token, 100);
    assert.deepEqual([renewed.id, renewed.expiresMs], [info.id, nowMs + 100 * dayMs]);
    nowMs += 99 * dayMs;
    assert.equal((await tokens.renew(token, 1)).expiresMs, nowMs + dayMs);
    assert.equal((await tokens.renew(token, 365)).expiresMs, info.createdMs + 365 * dayMs);
    await tokens.verify(token);
    nowMs = info.createdMs + 365 * dayMs;
    await assert.rejects(tokens.renew(token, 365), { code: 'token-expired' });
  });

  it('are made by no token that is revoked, from the moment on in which that is stored', async () => {
    const { info } = await tokens.create({ ownerId: ada.id, kind: 'user', name: 'stolen' });
    const wanted = { ownerId: ada.id, kind: 'user', name: 'another', askedBy: info.id } as const;
    await tokens.create(wanted);
    const before = revoked.length;
    const revoking = tokens.revoke(info.id);
    await assert.rejects(tokens.create(wanted), { code: 'unauthenticated' });
    await revoking;
    assert.equal(revoked.length, before + 1);
  });

  it('that were revoked are not renewed', async () => {
    const { token, info } = await create('gone');
    await tokens.revoke(info.id);
    await assert.rejects(tokens.renew(token), { code: 'unauthenticated' });
  });

  it('all end at once when their owner is disabled, who gets no new ones', async () => {
    const owner = await users.create({ displayName: 'Cy' });
    const own = await Promise.all(['a', 'b'].map((name) => tokens.create({ ownerId: owner.id, kind: 'user', name })));
    await users.disable(owner.id);
    await tokens.revokeAllOf(owner.id);
    assert.deepEqual(new Set(revoked.slice(-2)), new Set(own.map(({ info }) => info.id)));
    const wanted = { ownerId: owner.id, kind: 'user', name: 'c' } as const;
    await assert.rejects(tokens.create(wanted), { code: 'user-disabled' });
    await users.enable(owner.id);
    for (const { token } of own) await assert.rejects(tokens.verify(token), { code: 'unauthenticated' });
    await tokens.verify((await tokens.create(wanted)).token);
  });

  it('end with their account', async () => {
    const { token } = await tokens.create({ ownerId: bo.id, kind: 'user', name: 'x' });
    await store.db.updateTable('users').set({ disabled_ms: nowMs }).where('id', '=', bo.id).execute();
    await assert.rejects(tokens.verify(token), { code: 'user-disabled' });
  });

  for (const [what, change] of [
    ['another user’s', { owner_id: 'bo' }],
    ['one that lives longer', { expires_ms: 8e15 }],
    ['one of an admin', { kind: 'admin', owner_id: systemOwnerId }],
    ['one of more scopes', { scopes: 'files:read files:write users:manage' }],
  ] as const) {
    it(`cannot be made ${what} by who writes the database without the key`, async () => {
      const { token, info } = await create('edited');
      const columns = 'owner_id' in change && change.owner_id === 'bo' ? { owner_id: bo.id } : change;
      await store.db.updateTable('tokens').set(columns).where('id', '=', info.id).execute();
      const parts = parseToken(token);
      assert.ok(parts);
      for (const kind of ['u', 'a'] as const) {
        await assert.rejects(tokens.verify(formatToken({ ...parts, kind })), { code: 'unauthenticated' });
      }
    });
  }

  it('cannot be made up by who writes the database without the key', async () => {
    const { info } = await create('planted');
    const secret = 'x'.repeat(43);
    const hash = createHash('sha256').update(secret).digest();
    await store.db.updateTable('tokens').set({ hash }).where('id', '=', info.id).execute();
    const token = formatToken({ kind: 'u', id: info.id, secret });
    await assert.rejects(tokens.verify(token), { code: 'unauthenticated' });
  });

  it('remember the minute they were last used in', async () => {
    const { token, info } = await create('used');
    const lastUsed = async () => {
      await tokens.settle();
      return (await tokens.list(ada.id)).find(({ id }) => id === info.id)?.lastUsedMs;
    };
    assert.equal(await lastUsed(), null);
    nowMs = Math.ceil(nowMs / 60_000) * 60_000 + 59_000;
    await tokens.verify(token);
    assert.equal(await lastUsed(), nowMs - 59_000);
    nowMs += 2_000;
    await tokens.verify(token);
    assert.equal(await lastUsed(), nowMs - 1_000);
  });

  it('are in no byte of the database, nor are their names', async () => {
    const { token, info } = await create('canary-name');
    assert.equal((await tokens.list(ada.id)).find(({ id }) => id === info.id)?.name, 'canary-name');
    await store.checkpoint();
    const bytes = Buffer.concat([
      await readFile(join(folder, 'spoon.db')),
      await readFile(join(folder, 'spoon.db-wal')),
    ]);
    assert.ok(!bytes.includes(parseToken(token)?.secret ?? token));
    assert.ok(!bytes.includes('canary-name'));
  });

  it('are at most a hundred for one owner', async () => {
    const { id: owner } = await users.create({ displayName: 'Crowd' });
    for (let count = 0; count < 100; count++) await tokens.create({ ownerId: owner, kind: 'user', name: 'x' });
    await assert.rejects(tokens.create({ ownerId: owner, kind: 'user', name: 'x' }), { code: 'token-limit' });
  });
});
