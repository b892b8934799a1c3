import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { formatToken, parseToken } from '../../protocol/tokenFormat.ts';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Invites } from './invites.ts';
import { Passwords } from './passwords.ts';
import { type Account, Users } from './users.ts';

const words = 'correct horse battery';

describe('passwords and invites', () => {
  let folder: string;
  let store: Store;
  let keyring: Keyring;
  let passwords: Passwords;
  let invites: Invites;
  let users: Users;
  let ada: Account;
  let bo: Account;
  let nowMs = 1_000_000;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-passwords-'));
    store = await openStore(join(folder, 'spoon.db'));
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    users = new Users({ store, keyring, separatesUsers: true });
    ada = await users.create({ displayName: 'Ada' });
    bo = await users.create({ displayName: 'Bo' });
    passwords = new Passwords({ store, keyring });
    invites = new Invites({ store, keyring, now: () => nowMs });
  });
  after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are right for their user only', async () => {
    assert.equal(await passwords.verify(ada.id, ''), false);
    await passwords.set(ada, words);
    assert.equal(await passwords.verify(ada.id, words), true);
    for (const [userId, text] of [
      [ada.id, `${words} `],
      [ada.id, ''],
      [bo.id, words],
      [undefined, words],
    ] as const) {
      assert.equal(await passwords.verify(userId, text), false);
    }
    await passwords.set(ada, `${words} staple`);
    assert.equal(await passwords.verify(ada.id, words), false);
  });

  it('are the same however their letters are composed', async () => {
    await passwords.set(bo, 'na\u00efve caf\u00e9 words');
    assert.equal(await passwords.verify(bo.id, 'nai\u0308ve cafe\u0301 words'), true);
  });

  for (const text of [
    'short',
    'x'.repeat(40),
    'adaadaadaada',
    'a'.repeat(300),
    `${'ab'.repeat(6)}`,
    `${words}\ud800`,
  ]) {
    it(`cannot be ${JSON.stringify(text.slice(0, 20))}`, async () => {
      await assert.rejects(passwords.set(ada, text), { code: 'password-unsuitable' });
    });
  }

  it('of one user are not another’s by an edit of the database', async () => {
    await passwords.set(ada, words);
    const row = await store.db.selectFrom('passwords').selectAll().where('user_id', '=', ada.id).executeTakeFirst();
    assert.ok(row);
    await store.db.updateTable('passwords').set({ hash_enc: row.hash_enc }).where('user_id', '=', bo.id).execute();
    await assert.rejects(passwords.verify(bo.id, words), { code: 'integrity-failure' });
  });

  it('are tried two at a time, and a flood is told to come later (row 106)', async () => {
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => passwords.verify(undefined, 'x')));
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    assert.equal(refused.length, 200 - 2 - 64);
    assert.ok(refused.every(({ reason }) => reason.code === 'too-many-requests' && reason.extra.retryAfterSeconds > 0));
    assert.equal(await passwords.verify(ada.id, words), true);
  });

  const use = (invite: string, used: string[] = []) =>
    invites.use(invite, async (id, spend) => {
      await store.transaction(spend);
      used.push(id);
    });

  it('are chosen with an invite, which works once, of any number at the same time', async () => {
    const { invite } = await invites.create(ada.id, 3);
    const used: string[] = [];
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => use(invite, used)));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    assert.deepEqual(used, [ada.id]);
  });

  it('that are refused leave the invite as it was', async () => {
    const { invite } = await invites.create(ada.id, 3);
    await assert.rejects(
      invites.use(invite, (_, spend) => passwords.set(ada, 'short', spend)),
      { code: 'password-unsuitable' },
    );
    await use(invite);
  });

  it('end with the account’s disabling, also those that are just being chosen or changed', async () => {
    const cy = await users.create({ displayName: 'Cy' });
    await assert.rejects(passwords.change(cy, '', words), { code: 'password-missing' });
    await passwords.set(cy, words);
    await assert.rejects(passwords.change(cy, `${words} `, `${words} staple`), { code: 'password-unsuitable' });
    const { invite } = await invites.create(cy.id, 3);
    const changed = assert.rejects(passwords.change(cy, words, `${words} staple`), { code: 'password-unsuitable' });
    const chosen = assert.rejects(
      invites.use(invite, async (_, spend) => {
        await users.disable(cy.id);
        await passwords.set(cy, words, spend);
      }),
      { code: 'user-disabled' },
    );
    await Promise.all([changed, chosen]);
    await assert.rejects(invites.create(cy.id, 3), { code: 'user-disabled' });
    await users.enable(cy.id);
    await assert.rejects(use(invite), { code: 'invite-invalid' });
    assert.equal(await passwords.verify(cy.id, words), false);
  });

  it('are not chosen with an invite that a disabling or a newer invite has ended in the meantime', async () => {
    const di = await users.create({ displayName: 'Di' });
    const invalid = { code: 'invite-invalid' };
    const { invite: before } = await invites.create(di.id, 3);
    await assert.rejects(
      invites.use(before, async (_, spend) => {
        await users.disable(di.id);
        await users.enable(di.id);
        await passwords.set(di, words, spend);
      }),
      invalid,
    );
    assert.equal(await passwords.verify(di.id, words), false);
    const { invite: first } = await invites.create(di.id, 3);
    await assert.rejects(
      invites.use(first, async (_, spend) => {
        const { invite } = await invites.create(di.id, 3);
        await invites.use(invite, (__, spendNewer) => passwords.set(di, `${words} staple`, spendNewer));
        await passwords.set(di, words, spend);
      }),
      invalid,
    );
    assert.equal(await passwords.verify(di.id, `${words} staple`), true);
    await assert.rejects(use(first), invalid);
  });

  it('are changed once by two who know the old one at the same time', async () => {
    await passwords.set(ada, words);
    const results = await Promise.allSettled([1, 2].map((n) => passwords.change(ada, words, `${words} ${n}`)));
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await passwords.set(ada, words);
  });

  it('are changed also while they are sealed with another key', async () => {
    await passwords.set(ada, words);
    const context = { ownerId: ada.id, kind: 'secret', objectId: 'password', version: 0, mode: 0 } as const;
    const changed = passwords.change(ada, words, `${words} staple`);
    const own = store.db.selectFrom('passwords').where('user_id', '=', ada.id);
    const { hash_enc } = await own.select('hash_enc').executeTakeFirstOrThrow();
    const sealed = await keyring.seal(context, await keyring.open(context, hash_enc));
    await store.db.updateTable('passwords').set({ hash_enc: sealed }).where('hash_enc', '=', hash_enc).execute();
    await changed;
    assert.equal(await passwords.verify(ada.id, `${words} staple`), true);
  });

  it('are not chosen with an invite that is old, replaced, changed, or somebody else’s by an edit of the database', async () => {
    const invalid = { code: 'invite-invalid' };
    const first = await invites.create(ada.id, 3);
    const { invite, expiresMs } = await invites.create(ada.id, 3);
    await assert.rejects(use(first.invite), invalid);
    const parts = parseToken(invite);
    assert.ok(parts);
    for (const text of [
      '',
      'x',
      formatToken({ ...parts, secret: 'x'.repeat(43) }),
      formatToken({ ...parts, kind: 'u' }),
    ]) {
      await assert.rejects(use(text), invalid);
    }
    const edit = (columns: { user_id?: string; expires_ms?: number }) =>
      store.db.updateTable('invites').set(columns).where('id', '=', parts.id).execute();
    await edit({ user_id: bo.id });
    await assert.rejects(use(invite), invalid);
    await edit({ user_id: ada.id, expires_ms: expiresMs + 1 });
    await assert.rejects(use(invite), invalid);
    await edit({ expires_ms: expiresMs });
    nowMs = expiresMs;
    await assert.rejects(use(invite), invalid);
    nowMs--;
    await use(invite);
  });
});
