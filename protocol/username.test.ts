import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SpoonError } from './errors.ts';
import { checkUsername, deriveUsername } from './username.ts';

const nobodyHasIt = () => false;

describe('checkUsername (row 54)', () => {
  const bad = [
    '',
    'root',
    'admin',
    'nobody',
    'spoon',
    'con',
    '..',
    '.',
    'A',
    'Ada',
    'a b',
    'a'.repeat(32),
    'a'.repeat(33),
    '\u0430da',
    '-x',
    '_x',
    '1x',
    'a/b',
    'a\n',
    'ada\0',
    'zoë',
    'a.b',
    'ａda',
  ];
  for (const name of bad) {
    it(`refuses ${JSON.stringify(name)}`, () => {
      assert.throws(() => checkUsername(name), { code: 'username-invalid' });
    });
  }
  for (const name of ['a', 'ada', 'ada2', 'a-b_c', 'a'.repeat(31), 'rooty']) {
    it(`takes ${name}`, () => assert.equal(checkUsername(name), name));
  }
});

describe('deriveUsername', () => {
  const derived: readonly (readonly [displayName: string, username: string])[] = [
    ['Ada Lovelace', 'ada'],
    ['  Ada  ', 'ada'],
    ['Zoë Keating', 'zoe'],
    ['Łukasz', 'ukasz'],
    ['Jean-Luc Picard', 'jean-luc'],
    ['李雷', 'user'],
    ['', 'user'],
    ['42nd Street', 'user'],
    ['root', 'user'],
    ['Ada\u202e', 'ada'],
    ['../../etc', 'etc'],
    ['O’Brien', 'obrien'],
    ['x'.repeat(100), 'x'.repeat(31)],
  ];
  for (const [displayName, username] of derived) {
    it(`makes ${username} of ${JSON.stringify(displayName).slice(0, 30)}`, () => {
      assert.equal(deriveUsername(displayName, nobodyHasIt), username);
    });
  }

  it('counts on where a name is taken, also at full length', () => {
    const taken = new Set(['ada', 'ada2', 'x'.repeat(31)]);
    assert.equal(
      deriveUsername('Ada', (name) => taken.has(name)),
      'ada3',
    );
    assert.equal(
      deriveUsername('x'.repeat(40), (name) => taken.has(name)),
      `${'x'.repeat(30)}2`,
    );
  });

  it('gives every display name a username that passes the check, and never one twice', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 50 }), { maxLength: 20 }), (displayNames) => {
        const taken = new Set<string>();
        for (const displayName of displayNames) {
          const name = deriveUsername(displayName, (candidate) => taken.has(candidate));
          assert.equal(checkUsername(name), name);
          assert(!taken.has(name));
          taken.add(name);
        }
      }),
    );
  });

  it('throws nothing but a SpoonError for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          checkUsername(text);
        } catch (error) {
          assert(error instanceof SpoonError);
        }
      }),
    );
  });
});
