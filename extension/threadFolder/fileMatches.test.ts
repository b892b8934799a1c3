import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bestPaths, scorePath } from './fileMatches.ts';

const paths = [
  'src/http/server.ts',
  'docs/serverless.md',
  'src/store/reserved.ts',
  'server.ts',
  'test/http/server.test.ts',
];

describe('bestPaths', () => {
  it('puts the file of that name first, then names that begin so', () => {
    assert.deepEqual(bestPaths(paths, 'server.ts', 2), ['server.ts', 'src/http/server.ts']);
    assert.equal(bestPaths(paths, 'serverl', 1)[0], 'docs/serverless.md');
  });

  it('finds by first letters and by folders', () => {
    assert.equal(bestPaths(paths, 'shs', 1)[0], 'src/http/server.ts');
    assert.equal(bestPaths(paths, 'http/server.ts', 1)[0], 'src/http/server.ts');
  });

  it('shows as many as asked for, in their order where nothing is typed', () => {
    assert.deepEqual(bestPaths(paths, '', 2), paths.slice(0, 2));
    assert.deepEqual(bestPaths(paths, 'zzz', 2), []);
  });

  it('takes fifty thousand without going through them again and again', () => {
    const many = Array.from({ length: 50_000 }, (_, index) => `src/module${index % 100}/component${index}.ts`);
    const startedMs = performance.now();
    assert.equal(bestPaths(many, 'm42comp42', 200).length, 200);
    assert.ok(performance.now() - startedMs < 10_000);
    assert.equal(scorePath('a', 'ab'), undefined);
  });
});
