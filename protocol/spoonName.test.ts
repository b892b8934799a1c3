import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkSpoonName, spoonNameOf } from './spoonName.ts';

describe('a spoon’s name', () => {
  for (const name of ['api', 'API', '_x', '7', 'a.b-c_d', 'x'.repeat(64)]) {
    it(`may be ${name.slice(0, 20)}`, () => assert.equal(checkSpoonName(name), name));
  }
  for (const name of ['', '.', '..', '.api', '-x', 'a/b', 'a b', 'a\n', 'é', 'a.', 'x'.repeat(65), '~', 'a\\b']) {
    it(`is not ${JSON.stringify(name.slice(0, 20))}`, () =>
      assert.throws(() => checkSpoonName(name), { code: 'spoon-name-invalid' }));
  }
  for (const [url, name] of [
    ['https://h.org/team/api.git', 'api'],
    ['https://h.org/team/api/', 'api'],
    ['https://h.org/.dotfiles', 'dotfiles'],
    ['https://h.org/a%20b', 'a-20b'],
    ['https://h.org/...', undefined],
    ['https://h.org/', undefined],
    ['nonsense', undefined],
  ] as const) {
    it(`of ${url} is ${name}`, () => {
      assert.equal(spoonNameOf(url), name);
      if (name !== undefined) checkSpoonName(name);
    });
  }
});
