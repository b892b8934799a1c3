import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Lockfile, missingEntries } from './missingEntries.ts';

const root = dirname(dirname(import.meta.dirname));

describe('the lock file', () => {
  it('has every binary that a package names, or `npm ci` would refuse it: node scripts/completeLockfile.ts', async () => {
    const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
    assert.deepEqual(Object.keys(missingEntries(lock)), []);
  });

  it('names no registry, so that any can be used', async () => {
    assert.doesNotMatch(await readFile(join(root, 'package-lock.json'), 'utf8'), /"resolved"/);
  });

  it('learns the system of a missing one from its name', () => {
    const packages = {
      'node_modules/core': {
        dev: true,
        license: 'MIT',
        optionalDependencies: { 'core-linux-arm64-musl': '1.2.3', 'core-darwin-x64': '1.2.3', fsevents: '~2.3.2' },
      },
      'node_modules/core-darwin-x64': { version: '1.2.3' },
    };
    assert.deepEqual(missingEntries({ packages }), {
      'node_modules/core-linux-arm64-musl': {
        version: '1.2.3',
        cpu: ['arm64'],
        libc: ['musl'],
        os: ['linux'],
        dev: true,
        license: 'MIT',
        optional: true,
      },
    });
  });
});
