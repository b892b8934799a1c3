import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFilePath } from './filePath.ts';

describe('checkFilePath', () => {
  for (const path of ['', 'Code/api/main', 'Code/api/.git/HEAD', '~', 'a\\b', 'a b\tc', '...', `${'é'.repeat(127)}x`]) {
    it(`takes ${JSON.stringify(path.slice(0, 20))}`, () => assert.equal(checkFilePath(path), path));
  }

  for (const [path, code] of [
    ['/etc/passwd', 'path-absolute'],
    ['..', 'path-traversal'],
    ['Code/../../etc', 'path-traversal'],
    ['.', 'path-not-canonical'],
    ['a//b', 'path-not-canonical'],
    ['a/', 'path-not-canonical'],
    ['a/./b', 'path-not-canonical'],
    ['a\0b', 'path-control-char'],
    ['a\ud800', 'invalid-encoding'],
    ['x'.repeat(256), 'path-segment-too-long'],
    ['é'.repeat(128), 'path-segment-too-long'],
    [Array.from({ length: 2049 }, () => 'a').join('/'), 'path-too-long'],
  ] as const) {
    it(`refuses ${JSON.stringify(path.slice(0, 20))}`, () => assert.throws(() => checkFilePath(path), { code }));
  }
});
