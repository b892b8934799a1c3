import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { checkBranchName } from './branchName.ts';
import { SpoonError } from './errors.ts';

function isAccepted(name: string): boolean {
  try {
    return checkBranchName(name) === name;
  } catch (error) {
    assert(error instanceof SpoonError && error.code === 'branch-invalid', String(error));
    return false;
  }
}

/** What git itself says; outside of any repository, so that `@{-1}` has nothing to stand for. */
function gitAccepts(name: string): boolean {
  const { status, error } = spawnSync('git', ['check-ref-format', '--branch', name], {
    cwd: '/',
    stdio: 'ignore',
    env: { ...process.env, GIT_CEILING_DIRECTORIES: '/' },
  });
  assert.equal(error, undefined);
  return status === 0;
}

describe('checkBranchName (row 85)', () => {
  const bad = [
    '',
    '--upload-pack=x',
    '-x',
    'a..b',
    '@{-1}',
    'a@{b',
    '@',
    'a b',
    'a\tb',
    'x.lock',
    'x.lock/y',
    'a/b.lock',
    'HEAD',
    'refs/../..',
    'refs/heads/x',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[b',
    'a\\b',
    'a\u007f',
    'a\0b',
    'a\nb',
    'x'.repeat(300),
    '\ud800',
  ];
  for (const name of bad) {
    it(`refuses ${JSON.stringify(name).slice(0, 40)}`, () => assert.equal(isAccepted(name), false));
  }
  for (const name of ['main', 'feat/x', 'feat-x', 'a/b/c', 'fix_#12', 'é', 'x.lockx', 'user@host', 'HEADS', 'a.b']) {
    it(`takes ${name}`, () => assert.equal(isAccepted(name), true));
  }

  it('takes no name that git refuses, and refuses only a few that git takes', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '1',
      '.',
      '..',
      '/',
      '-',
      '@',
      '@{',
      '{',
      '}',
      '.lock',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '\\',
      ' ',
      '\t',
      '\u007f',
      'é',
      'HEAD',
      'refs',
      '_',
    );
    // Each run starts a git, 2 ms: 300 pieces together find a rule that was left out.
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const name = pieces.join('');
        const accepted = isAccepted(name);
        const byGit = gitAccepts(name);
        if (accepted) assert(byGit, `git refuses ${JSON.stringify(name)}`);
        // Spoon's own additions: names that read as something else.
        else if (byGit) assert(name === 'HEAD' || name === '@' || name.startsWith('refs/'), `too strict: ${name}`);
      }),
      { numRuns: 300 },
    );
  });
});
