import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freeSubnets } from './subnets.ts';

describe('freeSubnets', () => {
  it('offers every slice of the pool once, starting where the seed says', () => {
    const all = [...freeSubnets([], 'ada')];
    assert.equal(new Set(all).size, 4096);
    assert.ok(all.every((subnet) => /^10\.201\.\d+\.\d+\/28$/.test(subnet)));
    assert.notEqual(all[0], freeSubnets([], 'grace').next().value);
  });

  it('leaves out what overlaps with a network that exists', () => {
    const all = new Set(freeSubnets(['10.201.128.0/17', '10.201.0.16/28', '172.17.0.0/16', 'fd00::/64'], 'ada'));
    assert.equal(all.size, 2047);
    assert.ok(!all.has('10.201.0.16/28'));
    assert.ok(!all.has('10.201.200.0/28'));
    assert.ok(all.has('10.201.0.32/28'));
  });

  it('has nothing left when somebody took the whole of it', () => {
    assert.deepEqual([...freeSubnets(['10.0.0.0/8'], 'ada')], []);
  });
});
