import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Keyring, openKeyring } from '../keyring/keyring.ts';
import { type RootKey, readRootKey } from '../keyring/rootKey.ts';
import { openStore, type Store } from '../store/database.ts';
import { Audit } from './audit.ts';
import type { AuditEvent } from './chain.ts';
import { AuditRetention } from './retention.ts';

const dayMs = 24 * 60 * 60 * 1000;
const days = 400;
const startMs = Date.UTC(2030, 0, 1);
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

describe('old entries of the audit', () => {
  let folder: string;
  let file: string;
  let root: RootKey;
  let store: Store;
  let keyring: Keyring;
  let audit: Audit;
  let nowMs: number;
  let errors: unknown[];
  const now = () => nowMs;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-retention-'));
    file = join(folder, 'spoon.db');
    store = await openStore(file);
    root = await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] });
    keyring = await openKeyring(store, root);
    audit = new Audit({ store, keyring, now });
    errors = [];
    // One entry a day, ten days.
    for (let day = 1; day <= 10; day++) {
      nowMs = startMs + day * dayMs;
      await audit.record(event(`day ${day}`));
    }
  });
  afterEach(async () => {
    assert.deepEqual(errors, []);
    keyring.close();
    await store.close();
    await rm(folder, { recursive: true });
  });

  /** @param on another store than the test's, such as one that fails */
  const retention = (batchRows = 500, on = store) =>
    new AuditRetention({
      ...{ store: on, keyring, now, days, batchRows },
      onRemoved: () => undefined,
      onError: (error) => errors.push(error),
    });
  /** Later than that day by what is kept, and a minute. */
  const whenOld = (day: number) => startMs + (days + day) * dayMs + 60_000;
  async function passAt(day: number): Promise<AuditRetention> {
    nowMs = whenOld(day);
    const pass = retention();
    await pass.pass();
    return pass;
  }
  const stored = async () => (await store.db.selectFrom('audit').select('seq').execute()).map(({ seq }) => seq);
  const shown = async () => (await audit.page({ after: 0 })).entries.map(({ seq }) => seq);
  const fault = async (known?: { seq: number; mac: string }) => (await audit.verify(known)).fault;
  /** As somebody who can write the database, triggers or not, and has no key. */
  const tamper = (statement: string) => {
    const database = new DatabaseSync(file);
    try {
      for (const table of ['audit', 'audit_checkpoints'])
        for (const verb of ['update', 'delete']) database.exec(`DROP TRIGGER IF EXISTS ${table}_no_${verb}`);
      database.exec(statement);
    } finally {
      database.close();
    }
  };

  it('go, which an entry says, and the rest is verified all the same', async () => {
    const before = await audit.verify();
    await passAt(3);
    assert.deepEqual(
      [await stored(), await shown()],
      [
        [4, 5, 6, 7, 8, 9, 10, 11],
        [4, 5, 6, 7, 8, 9, 10, 11],
      ],
    );
    const { entries, removedTo } = await audit.page({});
    const last = entries.at(-1);
    assert.deepEqual(
      [removedTo, last?.event, last?.actor.kind, last?.details],
      [3, 'audit.remove', 'service', { from: 1, to: 3, days }],
    );
    const report = await audit.verify(before.head ?? undefined);
    assert.deepEqual([report.fault, report.entries, report.removed], [null, 8, { to: 3, timeMs: nowMs }]);
    await audit.record(event('later'));
    await passAt(5);
    assert.deepEqual([await fault(), (await stored())[0]], [null, 6]);
  });

  it('stay while they are not older than is kept', async () => {
    nowMs = startMs + (days + 1) * dayMs - 1;
    await retention().pass();
    assert.equal((await stored()).length, 10);
  });

  it('go a week at most, once a day: a clock that jumps to 2038 takes no more, and health says so', async () => {
    nowMs = Date.UTC(2038, 0, 19);
    const first = retention();
    await first.pass();
    assert.equal((await stored())[0], 8, 'the first seven days');
    assert.match(first.problems().join(), /days older than it keeps.*clock of this machine is wrong/);
    nowMs += dayMs - 1;
    for (let restart = 0; restart < 5; restart++) await retention().pass();
    assert.equal((await stored())[0], 8, 'a service that is started again and again');
    nowMs = startMs + 11 * dayMs;
    const right = retention();
    await right.pass();
    assert.deepEqual([(await stored())[0], right.problems()], [8, []], 'the clock is right again');
    nowMs = whenOld(9);
    await retention().pass();
    assert.equal((await stored())[0], 10, 'and a checkpoint from the future holds nothing up');
    assert.equal(await fault(), null);
  });

  it('do not go by a clock that is set back, and entries from the future only with older ones behind them', async () => {
    nowMs = 0;
    await retention().pass();
    assert.equal((await stored()).length, 10);
    nowMs = Date.UTC(2038, 0, 19);
    await audit.record(event('11, while the clock is wrong'));
    nowMs = startMs + 12 * dayMs;
    await audit.record(event('12'));
    await passAt(7);
    await passAt(11.5);
    assert.equal((await stored())[0], 11, 'nothing behind it is old');
    await passAt(13);
    assert.ok((await stored())[0] === 13, `${await stored()}`);
    assert.equal(await fault(), null);
  });

  it('go wholly or not at all: at each place where the service can be killed, what is left is a chain', async () => {
    nowMs = whenOld(6);
    for (let survived = 0; ; survived++) {
      let left = survived;
      const dying = new Proxy(store, {
        get: (target, name) =>
          name !== 'transaction'
            ? Reflect.get(target, name)
            : (work: never) => (left-- > 0 ? target.transaction(work) : Promise.reject(new Error('killed'))),
      });
      const isThrough = await retention(2, dying)
        .pass()
        .then(
          () => true,
          (error: Error) => error.message !== 'killed',
        );
      const { fault: wrong, removed } = await audit.verify();
      assert.deepEqual([wrong, (await shown())[0]], [null, removed == null ? 1 : 7], `after ${survived} transactions`);
      if (isThrough) break;
      assert.ok(survived < 10);
    }
    assert.equal((await stored())[0], 7, 'the next pass has finished what the last began');
  });

  it('stay gone in a backup, and half-deleted ones too', async () => {
    nowMs = whenOld(6);
    let left = 2;
    const dying = new Proxy(store, {
      get: (target, name) =>
        name !== 'transaction'
          ? Reflect.get(target, name)
          : (work: never) => (left-- > 0 ? target.transaction(work) : Promise.reject(new Error('killed'))),
    });
    await assert.rejects(retention(2, dying).pass(), /killed/);
    assert.equal((await stored())[0], 3);
    const copy = join(folder, 'copy.db');
    await store.snapshot(copy);
    const restored = await openStore(copy);
    const keys = await openKeyring(restored, root);
    const again = new Audit({ store: restored, keyring: keys, now });
    assert.equal((await again.verify()).fault, null);
    await new AuditRetention({
      ...{ store: restored, keyring: keys, now, days },
      onRemoved: () => assert.fail('nothing new'),
      onError: (error) => errors.push(error),
    }).pass();
    const rows = await restored.db.selectFrom('audit').select('seq').execute();
    assert.deepEqual([rows[0]?.seq, (await again.verify()).fault], [7, null]);
    keys.close();
    await restored.close();
  });

  it('are let go of while others write and verify, and neither notices', async () => {
    nowMs = whenOld(6);
    let meanwhile: (() => Promise<unknown>) | undefined = async () => {
      const written = Promise.all(Array.from({ length: 20 }, (_, count) => audit.record(event(`beside ${count}`))));
      await Promise.all([retention(1).pass(), written]);
    };
    const slow = new Proxy(keyring, {
      get: (target, name) => {
        const found = Reflect.get(target, name).bind(target);
        return name !== 'mac'
          ? found
          : async (...args: unknown[]) => {
              const first = meanwhile;
              meanwhile = undefined;
              await first?.();
              return found(...args);
            };
      },
    });
    const report = await new Audit({ store, keyring: slow, now }).verify();
    assert.deepEqual([report.fault, report.removed?.to, report.entries], [null, 6, 25]);
  });

  it('can be deleted through the service’s own connection up to the checkpoint and no further (row 100)', async () => {
    await passAt(3);
    await assert.rejects(store.db.deleteFrom('audit').where('seq', '=', 4).execute());
    await assert.rejects(store.db.updateTable('audit').set({ time_ms: 0 }).execute());
    await assert.rejects(store.db.deleteFrom('audit_checkpoints').execute());
    await assert.rejects(store.db.updateTable('audit_checkpoints').set({ seq: 9 }).execute());
    assert.equal(await fault(), null);
  });

  describe('that were not let go of are missed (row 100):', () => {
    const forged = `INSERT INTO audit_checkpoints SELECT 6, mac, 1, 11, zeroblob(32) FROM audit WHERE seq = 6`;
    for (const [what, statement, seq, why] of [
      ['one in the middle', 'DELETE FROM audit WHERE seq = 7', 7, /missing/],
      ['the first behind the checkpoint', 'DELETE FROM audit WHERE seq = 4', 4, /missing/],
      ['those up to a forged checkpoint', `${forged}; DELETE FROM audit WHERE seq <= 6`, 6, /not written down by this/],
      [
        'with a checkpoint that was moved',
        'UPDATE audit_checkpoints SET seq = 4; DELETE FROM audit WHERE seq = 4',
        4,
        /not/,
      ],
      ['with the checkpoint taken away', 'DELETE FROM audit_checkpoints', 1, /missing/],
      ['the end, as far as what was let go of was written down', 'DELETE FROM audit WHERE seq > 9', 10, /an entry 11/],
    ] as const) {
      it(what, async () => {
        await passAt(3);
        tamper(statement);
        const found = await fault();
        assert.equal(found?.seq, seq);
        assert.match(found?.why ?? '', why);
      });
    }

    it('the end, by a head that was written down', async () => {
      await passAt(3);
      const head = await audit.head();
      await audit.record(event('after'));
      const later = await audit.head();
      tamper('DELETE FROM audit WHERE seq > 11');
      assert.deepEqual([await fault(head), (await fault(later))?.seq], [null, 12]);
    });

    it('the end, though more was written since', async () => {
      await passAt(3);
      tamper('DELETE FROM audit WHERE seq > 9');
      await audit.record(event('later'));
      assert.deepEqual([await fault(), (await stored()).at(-1)], [{ seq: 10, why: 'It is missing.' }, 12]);
    });

    it('the end, though it was written anew while the checkpoint was away', async () => {
      await passAt(3);
      tamper('CREATE TABLE kept AS SELECT * FROM audit_checkpoints; DELETE FROM audit_checkpoints');
      tamper('DELETE FROM audit WHERE seq > 9');
      await audit.record(event('10 again'));
      await audit.record(event('11 again'));
      tamper('INSERT INTO audit_checkpoints SELECT * FROM kept');
      assert.match((await fault())?.why ?? '', /after the end was cut off/);
    });

    it('all of them: what is written since is shown and stays, and health says so', async () => {
      await passAt(3);
      tamper('DELETE FROM audit');
      const before = retention();
      await before.pass();
      assert.match(before.problems().join(), /stay: entry 11, .* is missing/, 'also while nothing was written since');
      for (let time = 0; time < 3; time++) await audit.record(event('later'));
      const pass = await passAt(9);
      assert.deepEqual(
        [await shown(), await stored()],
        [
          [12, 13, 14],
          [12, 13, 14],
        ],
      );
      assert.match(pass.problems().join(), /stay: entry 11, .* is missing/);
      assert.equal((await fault())?.seq, 4);
    });

    it('behind a forged checkpoint, by which nothing is numbered either', async () => {
      tamper("INSERT INTO audit_checkpoints VALUES (8, zeroblob(32), 1, 1000, x'00')");
      await audit.record(event('later'));
      assert.equal((await stored()).at(-1), 11);
    });

    it('those behind a checkpoint that was rolled back, with and without its entries', async () => {
      await passAt(2);
      tamper('CREATE TABLE kept AS SELECT * FROM audit');
      await passAt(4);
      tamper('DELETE FROM audit_checkpoints WHERE seq = 4');
      assert.deepEqual((await fault())?.seq, 3);
      tamper('INSERT OR IGNORE INTO audit SELECT * FROM kept');
      assert.match((await fault())?.why ?? '', /all up to 4 were removed; what begins the audit is older/);
    });

    it('which nobody would without the key: it is what makes a checkpoint', async () => {
      await passAt(3);
      const unkeyed = new Proxy(keyring, {
        get: (target, name) =>
          name === 'mac' ? async () => new Uint8Array(32) : Reflect.get(target, name).bind(target),
      });
      tamper('DELETE FROM audit WHERE seq > 10; UPDATE audit SET mac = zeroblob(32)');
      tamper('UPDATE audit_checkpoints SET seq = 6, mac = zeroblob(32), event_seq = 0, row_mac = zeroblob(32)');
      tamper('DELETE FROM audit WHERE seq <= 6');
      assert.equal((await new Audit({ store, keyring: unkeyed, now }).verify()).fault, null);
      assert.equal((await fault())?.seq, 6);
    });
  });

  it('that only look old do not go: who can write the database cannot have the service cut it', async () => {
    tamper('UPDATE audit SET time_ms = 1 WHERE seq <= 6');
    nowMs = startMs + 11 * dayMs;
    const pass = retention();
    await pass.pass();
    assert.deepEqual([(await stored()).length, (await fault())?.seq], [10, 1]);
    assert.match(pass.problems().join(), /stay: entry 1 is not as it was written/);
  });

  it('neither go nor are hidden for a forged checkpoint', async () => {
    tamper("INSERT INTO audit_checkpoints VALUES (8, zeroblob(32), 1, 9, x'00')");
    nowMs = whenOld(3);
    const pass = retention();
    await pass.pass();
    assert.deepEqual([(await stored()).length, (await shown())[0]], [10, 1]);
    assert.match(pass.problems().join(), /not written down by this service/);
  });

  it('are looked for from the start on, until the service ends', async () => {
    nowMs = whenOld(3);
    const running = retention();
    running.start();
    await running.close();
    assert.equal(await fault(), null);
    const first = retention();
    first.start();
    for (const endMs = performance.now() + 30_000; (await stored())[0] !== 4; ) {
      assert.ok(performance.now() < endMs);
      await new Promise(setImmediate);
    }
    await first.close();
  });
});
