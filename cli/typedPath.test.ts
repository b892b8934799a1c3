import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkThreadName, typedHomePath } from './typedPath.ts';

describe('typedHomePath', () => {
  const homes = { localHome: '/Users/Ada L', username: 'ada' };
  const rows: [string, string][] = [
    ['.bashrc', '.bashrc'],
    ['~/.bashrc', '.bashrc'],
    ['./.config//git/', '.config/git'],
    ['/Users/Ada L/.config/nvim/init.lua', '.config/nvim/init.lua'],
    ['/home/ada/.bashrc', '.bashrc'],
  ];
  for (const [typed, expected] of rows) {
    it(`takes ${typed}`, () => assert.equal(typedHomePath(typed, homes), expected));
  }
  for (const typed of [
    '',
    '/etc/passwd',
    '../x',
    '~bob/.bashrc',
    '/home/bob/.bashrc',
    'Code/api/main/x',
    '.spoon/x',
    '~',
  ]) {
    it(`refuses ${JSON.stringify(typed)}`, () =>
      assert.throws(() => typedHomePath(typed, homes), { name: 'SpoonError' }));
  }
});

describe('the name of a thread', () => {
  it('is a spoon and a branch, which may have parts', () => assert.equal(checkThreadName('api/feat/x'), 'api/feat/x'));
  for (const thread of [
    'api',
    '/main',
    'api/',
    '../main',
    '.git/main',
    '-x/main',
    'a b/main',
    'api/..',
    'api/-x',
    'api/a b',
  ]) {
    it(`refuses ${thread}`, () => assert.throws(() => checkThreadName(thread)));
  }
});
