import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkFileMode,
  expectedDirectoryMode,
  expectedFileMode,
  formatFileMode,
  importedFileMode,
  parseFileMode,
} from './fileMode.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('parseFileMode (row 34)', () => {
  for (const text of [
    '04755',
    '07777',
    '4755',
    '-1',
    'abc',
    '',
    '8',
    '64',
    '6444',
    '0o644',
    ' 644',
    '644\n',
    '888',
    '000',
    '0200',
    '377',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseFileMode(text), { code: 'mode-invalid' }));
  }
  for (const [text, mode] of [
    ['644', 0o644],
    ['0644', 0o644],
    ['600', 0o600],
    ['755', 0o755],
    ['0777', 0o777],
    ['400', 0o400],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseFileMode(text), mode));
  }
  it('reads back what was formatted', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0o777 }), (bits) => {
        const mode = bits | 0o400;
        assert.equal(parseFileMode(formatFileMode(mode)), mode);
      }),
    );
  });
});

describe('checkFileMode', () => {
  for (const mode of [-1, 0o1000, 0o4755, 0o377, 0, Number.NaN, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
    it(`refuses ${mode}`, () => assert.throws(() => checkFileMode(mode), { code: 'mode-invalid' }));
  }
});

describe('expected modes', () => {
  const files: readonly (readonly [path: string, head: string, mode: number])[] = [
    ['.bashrc', '# x', 0o644],
    ['.local/bin/run', '#!/bin/sh', 0o755],
    ['.ssh/config', 'Host x', 0o600],
    ['.ssh/rc', '#!/bin/sh', 0o600],
    ['.ssh/bin/agent', '#!/bin/sh', 0o700],
    ['.gnupg/gpg.conf', '', 0o600],
    ['.netrc', 'machine x', 0o600],
    ['.docker/config.json', '{}', 0o600],
    ['.config/gh/hosts.yml', '', 0o600],
    ['.aws/credentials', '[default]', 0o600],
    ['.config/gh/config.yml', '', 0o644],
    ['keys/deploy', `-----BEGIN OPENSSH ${'PRIVATE'} KEY-----`, 0o600],
    ['keys/deploy.pub', 'ssh-ed25519 AAAA', 0o644],
    ['.sshx/config', '', 0o644],
    ['x', '#', 0o644],
    ['x', '', 0o644],
  ];
  for (const [path, head, mode] of files) {
    it(`is ${mode.toString(8)} for ${path} with ${JSON.stringify(head)}`, () => {
      assert.equal(expectedFileMode(path, bytes(head)), mode);
    });
  }
  it('keeps the folders of keys private', () => {
    assert.equal(expectedDirectoryMode('.ssh'), 0o700);
    assert.equal(expectedDirectoryMode('.gnupg/private'), 0o700);
    assert.equal(expectedDirectoryMode('.config'), 0o755);
    assert.equal(expectedDirectoryMode('.sshx'), 0o755);
  });
  it('keep what a disk says, except for keys that it shows to others', () => {
    assert.equal(importedFileMode('.bashrc', bytes(''), 0o100664), 0o664);
    assert.equal(importedFileMode('bin/x', bytes(''), 0o104755), 0o755);
    assert.equal(importedFileMode('odd', bytes(''), 0o100000), 0o400);
    assert.equal(importedFileMode('.ssh/config', bytes(''), 0o100644), 0o600);
    assert.equal(importedFileMode('.ssh/known_hosts', bytes(''), 0o100400), 0o400);
    assert.equal(importedFileMode('.ssh/run', bytes('#!/bin/sh'), 0o100755), 0o700);
  });
});
