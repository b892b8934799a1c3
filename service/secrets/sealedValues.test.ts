import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { SealingBench, seal } from './sealing.fixture.ts';

const use = 'secret/API_KEY';
const options = { maxBytes: 64 };
const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;

describe('sealed values', () => {
  it('come back as they were sealed, and are replaced and removed', async (t) => {
    const bench = await SealingBench.open(t);
    assert.equal(await bench.text('ada', use), undefined);
    await bench.put('ada', use, 'one');
    await bench.put('ada', use, 'two');
    await bench.put('ada', 'repository/token', 'three');
    await bench.put('bo', use, '');
    assert.deepEqual(
      [await bench.text('ada', use), await bench.text('ada', 'repository/token'), await bench.text('bo', use)],
      ['two', 'three', ''],
    );
    await bench.store.transaction((trx) => bench.values.remove(trx, 'ada', use));
    assert.equal(await bench.text('ada', use), undefined);
    assert.equal(await bench.text('bo', use), '');
  });

  it('are refused with any bit of them flipped', async (t) => {
    const bench = await SealingBench.open(t);
    const box = await seal(await bench.values.key('ada'), use, 'value');
    for (let bit = 0; bit < box.length * 8; bit++) {
      const flipped = Buffer.from(box);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await assert.rejects(bench.values.check('ada', use, flipped, options), code('seal-invalid'), `bit ${bit}`);
    }
  });

  it('are refused cut short at every byte, and too long', async (t) => {
    const bench = await SealingBench.open(t);
    const key = await bench.values.key('ada');
    const box = await seal(key, use, 'value');
    for (let length = 0; length < box.length; length++) {
      await assert.rejects(bench.values.check('ada', use, box.subarray(0, length), options), code('seal-invalid'));
    }
    const fits = await seal(key, use, 'x'.repeat(options.maxBytes));
    await bench.values.check('ada', use, fits, options);
    const long = await seal(key, use, 'x'.repeat(options.maxBytes + 1));
    await assert.rejects(bench.values.check('ada', use, long, options), code('body-too-large'));
  });

  it("are refused when sealed with another user's key or for another use", async (t) => {
    const bench = await SealingBench.open(t);
    const box = await seal(await bench.values.key('ada'), use, 'value');
    await bench.values.key('bo');
    await assert.rejects(bench.values.check('bo', use, box, options), code('seal-invalid'));
    await assert.rejects(bench.values.check('ada', 'secret/OTHER', box, options), code('seal-invalid'));
    await assert.rejects(bench.values.check('ada', 'secret/API_KEY2', box, options), code('seal-invalid'));
    await assert.rejects(bench.values.check('ada', 'secret/API_KE', box, options), code('seal-invalid'));
  });

  it('are refused with a key that is no longer used, and the current one is given', async (t) => {
    const bench = await SealingBench.open(t);
    await bench.put('ada', use, 'kept');
    const old = await seal(await bench.values.key('ada'), use, 'late');
    const current = await bench.values.rotateKey('ada');
    await assert.rejects(bench.values.check('ada', use, old, options), (error) => {
      assert(error instanceof SpoonError);
      assert.deepEqual([error.code, error.status, error.extra], ['seal-key-stale', 409, { ...current }]);
      return true;
    });
    assert.equal(await bench.text('ada', use), 'kept');
  });

  it('are not written when the key was changed since they were looked at', async (t) => {
    const bench = await SealingBench.open(t);
    const box = await seal(await bench.values.key('ada'), use, 'value');
    const checked = await bench.values.check('ada', use, box, options);
    await bench.values.rotateKey('ada');
    await assert.rejects(
      bench.store.transaction((trx) => bench.values.write(trx, checked)),
      code('seal-key-stale'),
    );
    assert.equal(await bench.text('ada', use), undefined);
  });

  it('lose an old key when nothing needs it any more, and not before', async (t) => {
    const bench = await SealingBench.open(t);
    const ids = async () => {
      const rows = await bench.store.db.selectFrom('seal_keys').select('id').where('user_id', '=', 'ada').execute();
      return new Set(rows.map(({ id }) => id));
    };
    const first = await bench.values.key('ada');
    await bench.put('ada', use, 'one');
    await bench.put('ada', 'repository/token', 'token');
    const second = await bench.values.rotateKey('ada');
    assert.deepEqual(await ids(), new Set([first.keyId, second.keyId]));
    await bench.put('ada', use, 'two');
    assert.deepEqual(await ids(), new Set([first.keyId, second.keyId]));
    await bench.store.transaction((trx) => bench.values.remove(trx, 'ada', 'repository/token'));
    assert.deepEqual(await ids(), new Set([second.keyId]));
    assert.equal(await bench.text('ada', use), 'two');
  });

  it('have one key for a user, however many ask at once', async (t) => {
    const bench = await SealingBench.open(t);
    const keys = await Promise.all(Array.from({ length: 10 }, () => bench.values.key('ada')));
    assert.equal(new Set(keys.map(({ publicKey }) => publicKey)).size, 1);
    assert.notEqual((await bench.values.key('bo')).publicKey, keys[0]?.publicKey);
  });

  it('do not open after a row was given to another use or user', async (t) => {
    const bench = await SealingBench.open(t);
    await bench.put('ada', use, 'value');
    await bench.put('ada', 'secret/OTHER', 'other');
    const rows = await bench.store.db.selectFrom('sealed_values').selectAll().execute();
    const [first, second] = rows;
    assert(first && second);
    for (const [to, from] of [
      [first, second],
      [second, first],
    ] as const) {
      await bench.store.db
        .updateTable('sealed_values')
        .set({ box_enc: from.box_enc })
        .where('use_mac', '=', to.use_mac)
        .execute();
    }
    await assert.rejects(bench.values.open('ada', use), code('integrity-failure'));
  });
});
