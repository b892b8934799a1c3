import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isIgnored } from './ignoredFiles.ts';

describe('isIgnored', () => {
  for (const path of [
    '.git/config',
    '.git',
    'sub/.git',
    'vim/node_modules/x/y.js',
    '.DS_Store',
    '.config/.DS_Store',
    'a/._b',
    '.config/nvim/.init.lua.swp',
    'notes~',
    '#notes#',
    '.#notes',
    'bin/__pycache__/x.cpython-312.pyc',
    '.cache/pip/http',
    '.spoon/manifest.json',
  ]) {
    it(`leaves ${path} out`, () => assert.equal(isIgnored(path), true));
  }
  for (const path of [
    '.gitconfig',
    '.gitignore',
    '.config/git/ignore',
    '.gitmodules',
    'x/.cache/y',
    '.swp',
    '.config/a.swap',
    'node_modules.txt',
    '~x',
    '#x',
    '-rf',
  ]) {
    it(`takes ${path}`, () => assert.equal(isIgnored(path), false));
  }
});
