import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseThread, rememberThread } from './threadName.ts';

describe('parseThread', () => {
  for (const typed of ['api/main', ' api/main ', '~/Code/api/main', 'Code/api/main/', './api/main']) {
    it(`reads ${JSON.stringify(typed)}`, () => {
      assert.deepEqual(parseThread(typed), { name: 'api/main', cwd: 'Code/api/main' });
    });
  }

  it('keeps slashes of a branch', () => assert.equal(parseThread('api/feat/x').cwd, 'Code/api/feat/x'));

  for (const typed of ['', 'api', 'api/', '/main', '../x/y', 'api/..', 'api/-x', 'a b/main', 'api/x.lock', '.x/main']) {
    it(`refuses ${JSON.stringify(typed)}`, () => assert.throws(() => parseThread(typed), { name: 'SpoonError' }));
  }
});

describe('rememberThread', () => {
  it('puts the latest first and each once', () => {
    assert.deepEqual(rememberThread(['a/1', 'b/2'], 'b/2'), ['b/2', 'a/1']);
  });

  it('forgets the oldest', () => {
    const many = Array.from({ length: 10 }, (_, index) => `a/${index}`);
    assert.equal(rememberThread(many, 'b/1').length, 10);
  });
});
