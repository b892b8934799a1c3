import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Audit } from './audit.ts';
import { AuditChain, type AuditEvent } from './chain.ts';

const event = (object: string): AuditEvent => ({
  event: 'user.disable',
  result: 'started',
  code: null,
  actor: { kind: 'operator', userId: null, username: null, tokenId: null },
  object,
  address: null,
  userAgent: null,
  requestId: null,
});

describe('the audit', () => {
  let folder: string;
  let file: string;
  let store: Store;
  let keyring: Keyring;
  let audit: Audit;
  let nowMs = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-audit-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    file = join(folder, `${randomBytes(4).toString('hex')}.db`);
    store = await openStore(file);
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    audit = new Audit({ store, keyring, now: () => ++nowMs });
    for (let count = 1; count <= 5; count++) await audit.record(event(`user${count}`));
  });
  afterEach(() => store.close());

  /** As somebody who can write the database, triggers or not. */
  const tamper = (statement: string) => {
    const database = new DatabaseSync(file);
    try {
      database.exec('DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete');
      database.exec(statement);
    } finally {
      database.close();
    }
  };
  const swap = 'UPDATE audit SET entry_enc = (SELECT entry_enc FROM audit WHERE seq = 4) WHERE seq = 2';

  it('is searched by who, what, how and when, from either end', async () => {
    const ada = { kind: 'user', userId: 'u1', username: 'ada', tokenId: 't1' } as const;
    await audit.record({ ...event('k1'), event: 'token.create', actor: ada });
    await audit.record({ ...event('ada'), event: 'user.rename', result: 'refused' });
    await audit.record({ ...event('x'), event: 'users', actor: ada });
    const found = async (query: Parameters<Audit['page']>[0]) =>
      (await audit.page(query)).entries.map(({ seq }) => seq);
    assert.deepEqual(await found({ about: 'ada' }), [6, 7, 8]);
    assert.deepEqual(await found({ about: 'user3' }), [3]);
    assert.deepEqual(await found({ event: 'user' }), [1, 2, 3, 4, 5, 7]);
    assert.deepEqual(await found({ event: 'user.rename' }), [7]);
    assert.deepEqual(await found({ result: 'refused' }), [7]);
    assert.deepEqual(await found({ event: 'user', limit: 2 }), [5, 7], 'the newest of them');
    assert.deepEqual(await found({ event: 'nothing' }), []);
    const [, second, , fourth] = (await audit.page({})).entries;
    const between = { fromMs: second?.timeMs ?? 0, toMs: fourth?.timeMs ?? 0 };
    assert.deepEqual(await found(between), [2, 3]);
    assert.deepEqual(await found({ ...between, about: 'user3' }), [3]);
    const first = await audit.page({ after: 0, event: 'user', limit: 4 });
    assert.deepEqual([first.entries.map(({ seq }) => seq), first.next], [[1, 2, 3, 4], 4]);
    const rest = await audit.page({ after: first.next ?? 0, event: 'user', limit: 4 });
    assert.deepEqual([rest.entries.map(({ seq }) => seq), rest.next], [[5, 7], null]);
  });

  it('keeps what was written, in its order, and says that all is as it was', async () => {
    const { entries } = await audit.page({});
    assert.deepEqual(
      entries.map(({ seq, object }) => [seq, object]),
      [1, 2, 3, 4, 5].map((n) => [n, `user${n}`]),
    );
    const { fault, head, entries: count } = await audit.verify();
    assert.deepEqual([fault, head, count], [null, await audit.head(), 5]);
  });

  it('is read page by page', async () => {
    const first = await audit.page({ after: 0, limit: 2 });
    assert.deepEqual([first.entries.map(({ seq }) => seq), first.next], [[1, 2], 2]);
    const last = await audit.page({ after: 4, limit: 2 });
    assert.deepEqual([last.entries.map(({ seq }) => seq), last.next], [[5], null]);
    assert.deepEqual(
      (await audit.page({ limit: 2 })).entries.map(({ seq }) => seq),
      [4, 5],
    );
  });

  it('stays one chain however many write at once', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, count) => audit.record(event(`at once ${count}`))));
    assert.deepEqual([(await audit.verify()).fault, (await audit.verify()).entries], [null, 55]);
  });

  it('is not changed or shortened through the service’s own connection (row 100)', async () => {
    await assert.rejects(store.db.updateTable('audit').set({ time_ms: 0 }).execute());
    await assert.rejects(store.db.deleteFrom('audit').where('seq', '=', 5).execute());
    assert.equal((await audit.verify()).fault, null);
  });

  for (const [what, statement, seq] of [
    ['a changed time', 'UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 3', 3],
    ['an exchanged entry', swap, 2],
    [
      'one bit',
      "UPDATE audit SET entry_enc = substr(entry_enc, 1, 60) || x'00' || substr(entry_enc, 62) WHERE seq = 3",
      3,
    ],
    ['a missing entry in the middle', 'DELETE FROM audit WHERE seq = 3', 3],
    ['a missing beginning', 'DELETE FROM audit WHERE seq < 3', 1],
    ['entries that moved up', 'DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3', 3],
    ['an invented entry', "INSERT INTO audit VALUES (6, 1, x'00', zeroblob(32))", 6],
  ] as const) {
    it(`shows ${what} by its number (row 100)`, async () => {
      tamper(statement);
      assert.equal((await audit.verify()).fault?.seq, seq);
    });
  }

  it('shows an end that was cut off, to who has written down its head (row 100)', async () => {
    const head = await audit.head();
    assert.ok(head);
    assert.equal((await audit.verify(head)).fault, null);
    tamper('DELETE FROM audit WHERE seq > 3');
    assert.equal((await audit.verify()).fault, null);
    assert.equal((await audit.verify(head)).fault?.seq, 4);
    await audit.record(event('other'));
    await audit.record(event('other'));
    assert.equal((await audit.verify(head)).fault?.seq, 5);
  });

  it('shows none of this without the keyed chain, so the chain is what shows it', async () => {
    const withoutMac = new Proxy(keyring, {
      get: (target, name) => (name === 'mac' ? async () => new Uint8Array(32) : Reflect.get(target, name).bind(target)),
    });
    const unkeyed = new Audit({ store, keyring: withoutMac, now: () => 1 });
    tamper('UPDATE audit SET mac = zeroblob(32)');
    assert.equal((await unkeyed.verify()).fault, null);
    tamper('UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 3');
    assert.equal((await unkeyed.verify()).fault, null);
    assert.equal((await audit.verify()).fault?.seq, 1);
  });

  it('tells only a head that a loss of power leaves', async () => {
    const held = Promise.withResolvers<void>();
    let isSynced = false;
    const slow: Store = {
      ...store,
      transaction: async (work) => {
        const result = await store.transaction(work);
        await held.promise;
        isSynced = true;
        return result;
      },
    };
    const telling = new Audit({ store: slow, keyring, now: () => nowMs }).head();
    setImmediate(held.resolve);
    assert.deepEqual([(await telling)?.seq, isSynced], [5, true]);
  });

  it('is verified without holding up the others', async () => {
    const chain = new AuditChain({ store, keyring, now: () => ++nowMs });
    await store.transaction(async (trx) => {
      for (let count = 0; count < 600; count++) await chain.append(trx, event('x'));
    });
    let sinceTurn = 0;
    let longest = 0;
    const counting = new Proxy(keyring, {
      get: (target, name) => {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          if (name === 'mac') longest = Math.max(longest, ++sinceTurn);
          return value.apply(target, given);
        };
      },
    });
    const turn = () => {
      sinceTurn = 0;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const report = await new Audit({ store, keyring: counting, now: () => nowMs }).verify();
    clearImmediate(next);
    assert.deepEqual([report.fault, report.entries], [null, 605]);
    assert.ok(longest < 150, `${longest} entries in one turn of the event loop`);
  });

  it('is not to be read in the database', async () => {
    await audit.record(event('CANARY-OBJECT'));
    await store.checkpoint();
    assert.ok(!(await readFile(file)).includes('CANARY-OBJECT'));
  });

  it('that cannot be written is an error with a code of its own', async () => {
    tamper("CREATE TRIGGER audit_full BEFORE INSERT ON audit BEGIN SELECT raise(abort, 'full'); END");
    await assert.rejects(audit.record(event('x')), { code: 'audit-unavailable' });
  });
});
