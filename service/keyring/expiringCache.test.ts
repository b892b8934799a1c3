import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataKey, DataKeyCache } from './dataKey.ts';
import { ExpiringCache } from './expiringCache.ts';

function makeCache(maxWeight = 3) {
  const clock = { ms: 0 };
  const dropped: string[] = [];
  const limits = {
    maxWeight,
    weigh: (text: string) => text.length,
    lifeMs: 100,
    onDrop: (text: string) => dropped.push(text),
  };
  return { clock, dropped, cache: new ExpiringCache<string>(limits, () => clock.ms) };
}

describe('ExpiringCache', () => {
  it('drops what was used least recently when it gets too heavy', () => {
    const { cache, dropped } = makeCache();
    for (const name of ['a', 'b', 'c']) cache.put(name, name);
    cache.get('a');
    cache.put('d', 'd');
    assert.deepEqual(dropped, ['b']);
    cache.put('e', 'ee');
    assert.deepEqual(dropped, ['b', 'c', 'a']);
    assert.equal(cache.size, 2);
  });
  it('keeps the newest, however heavy', () => {
    const { cache, dropped } = makeCache();
    cache.put('a', 'a');
    cache.put('heavy', 'xxxxxxxx');
    assert.equal(cache.get('heavy'), 'xxxxxxxx');
    assert.deepEqual(dropped, ['a']);
  });
  it('drops what was not used for its life, when asked for it and when nobody asks', () => {
    const { cache, clock, dropped } = makeCache();
    cache.put('a', 'a');
    cache.put('b', 'b');
    clock.ms = 99;
    assert.equal(cache.get('a'), 'a');
    clock.ms = 100;
    assert.equal(cache.get('b'), undefined);
    clock.ms = 199;
    cache.sweep();
    assert.deepEqual(dropped, ['b', 'a']);
    assert.equal(cache.size, 0);
  });
  it('drops what is replaced, and all when cleared', () => {
    const { cache, dropped } = makeCache();
    cache.put('a', 'a');
    cache.put('a', 'A');
    cache.put('b', 'b');
    cache.clear();
    assert.deepEqual(dropped, ['a', 'A', 'b']);
  });
});

describe('DataKeyCache', () => {
  const keyOf = (id: string, ownerId = 'ada') => new DataKey({ id, ownerId }, Buffer.alloc(32, 7));

  it('erases what leaves, so that it cannot be used by mistake', () => {
    const cache = new DataKeyCache();
    const key = cache.put(keyOf('01'), true);
    const mac = key.macKey;
    assert(mac.some((byte) => byte !== 0));
    cache.drop('01');
    assert.equal(key.erased, true);
    assert(mac.every((byte) => byte === 0));
    assert.throws(() => key.macKey, /erased/);
    assert.throws(() => key.keyFor('file'), /erased/);
    assert.equal(cache.activeOf('ada'), undefined);
  });
  it('keeps the key in use when the same one is loaded twice', () => {
    const cache = new DataKeyCache();
    const first = cache.put(keyOf('01'), true);
    const second = keyOf('01');
    assert.equal(cache.put(second, true), first);
    assert.equal(first.erased, false);
    assert.equal(second.erased, true);
    cache.clear();
  });
  it('holds at most a thousand keys, and none for more than 15 minutes without use', () => {
    const clock = { ms: 0 };
    const cache = new DataKeyCache(() => clock.ms);
    const first = cache.put(keyOf('0', 'o0'), true);
    for (let index = 1; index <= 1_000; index++) cache.put(keyOf(String(index), `o${index}`), true);
    assert.equal(first.erased, true);
    const last = cache.activeOf('o1000');
    assert.equal(last?.erased, false);
    clock.ms = 15 * 60_000;
    assert.equal(cache.activeOf('o1000'), undefined);
    assert.equal(last?.erased, true);
    cache.clear();
  });
  it('overwrites the bytes that a key was made of', () => {
    const bytes = Buffer.alloc(32, 9);
    new DataKey({ id: '01', ownerId: 'ada' }, bytes).erase();
    assert(bytes.every((byte) => byte === 0));
  });
});
