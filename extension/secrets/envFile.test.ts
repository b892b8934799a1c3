import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maxSecretBytes } from '../../protocol/limits.ts';
import { nodePlatform } from '../node/nodePlatform.ts';
import { sortEntries } from './envFile.ts';
import { olderShells, placeInWords } from './secretWords.ts';

describe('a file of the form of .env', () => {
  it('gives what can be a secret, and names the rest with the reason', () => {
    const text = [
      '# comment',
      'PLAIN=one',
      "export QUOTED='two # words' # why",
      'LINES="first\\nsecond"',
      'PLAIN=again',
      'PATH=/bin',
      'lower=x',
      'EMPTY=',
      'no assignment',
      `LARGE=${'x'.repeat(maxSecretBytes + 1)}`,
    ].join('\r\n');
    const { entries, refused } = sortEntries(nodePlatform.parseEnv(text));
    const byName = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
    assert.deepEqual(byName, { PLAIN: 'again', QUOTED: 'two # words', LINES: 'first\nsecond' });
    assert.deepEqual(refused.map(({ name }) => name).sort(), ['EMPTY', 'LARGE', 'PATH', 'lower']);
    for (const { why } of refused) assert.ok(!why.includes('xxx'));
  });

  it('is nothing where there is nothing', () => {
    assert.deepEqual(sortEntries(nodePlatform.parseEnv('')), { entries: [], refused: [] });
    const { refused } = sortEntries({ NUL: 'a\0b' });
    assert.match(refused[0]?.why ?? '', /NUL/);
  });
});

describe('the words of a secret', () => {
  const secret = { name: 'A', spoon: null, scopes: ['shells' as const], file: false, updatedMs: 10 };
  const shell = { id: '1', title: '', cwd: '/', viewers: 0, columns: 80, rows: 24, busy: false, lastLine: '' };

  it('say where it appears', () => {
    assert.equal(placeInWords(secret), 'shells');
    assert.equal(placeInWords({ scopes: ['jobs', 'shells'], spoon: 'api' }), 'shells and jobs of api');
    assert.equal(placeInWords({ scopes: ['jobs', 'setup', 'shells'], spoon: null }), 'shells, setup and jobs');
  });

  it('name the shells that are older, where it appears in them', () => {
    const shells = [
      { ...shell, id: 'old', createdMs: 9 },
      { ...shell, id: 'api', createdMs: 9, thread: 'api/main' },
      { ...shell, id: 'new', createdMs: 11 },
    ];
    const ids = (of: Partial<typeof secret> | { spoon: string } | { scopes: ['jobs'] }): string[] =>
      olderShells({ ...secret, ...of }, shells).map(({ id }) => id);
    assert.deepEqual(ids({}), ['old', 'api']);
    assert.deepEqual(ids({ spoon: 'api' }), ['api']);
    assert.deepEqual(ids({ scopes: ['jobs'] }), []);
  });
});
