import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { SpoonError } from './errors.ts';
import { checkCredentialUsername, checkDeployKey, checkToken, readHostKeys } from './repositoryCredential.ts';

const refused = (work: () => unknown, pattern: RegExp) =>
  assert.throws(work, (error) => error instanceof SpoonError && pattern.test(error.message));
const pem = (passphrase?: string) =>
  generateKeyPairSync('ed25519').privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }),
  }) as string;
const openssh = (cipher: string) => {
  const head = Buffer.concat([
    Buffer.from('openssh-key-v1\0\0\0\0'),
    Buffer.from([cipher.length]),
    Buffer.from(cipher),
  ]);
  const body = Buffer.concat([head, Buffer.alloc(40, 1)]).toString('base64');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
};

describe('the token of a private repository', () => {
  it('is what a header can carry', () => {
    assert.equal(checkToken('abc-123_~='), 'abc-123_~=');
    for (const text of ['', 'two words', 'line\nend', 'quit\rkey', 'nul\0', 'schlüssel', 'x'.repeat(4097)]) {
      refused(() => checkToken(text), /1 to 4096 letters/);
    }
  });

  it('goes with a name that has no colon, which would end it', () => {
    assert.equal(checkCredentialUsername('x-token-auth'), 'x-token-auth');
    for (const name of ['', 'a:b', 'a\nb', 'a b']) refused(() => checkCredentialUsername(name), /name beside a token/);
  });
});

describe('a deploy key', () => {
  it('is taken with the lines ended as ssh wants them', () => {
    const key = pem();
    assert.equal(checkDeployKey(key), key);
    assert.equal(checkDeployKey(`\n${key.trim().replaceAll('\n', '\r\n')}  `), key);
    assert.equal(checkDeployKey(openssh('none')), openssh('none'));
  });

  it('is refused with what to do where ssh could not use it', () => {
    refused(() => checkDeployKey(pem('secret')), /passphrase/);
    refused(() => checkDeployKey(openssh('aes256-ctr')), /passphrase/);
    refused(() => checkDeployKey('PuTTY-User-Key-File-3: ssh-ed25519\n'), /PuTTY/);
    refused(() => checkDeployKey('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@laptop'), /private part/);
    refused(() => checkDeployKey(pem().split('\n').slice(0, 2).join('\n')), /private part/);
  });
});

describe('host keys', () => {
  const key = `ssh-ed25519 ${'A'.repeat(68)}`;
  it('are read from what ssh-keyscan and known_hosts have', () => {
    const text = `# git.example.org:22 SSH-2.0-OpenSSH\ngit.example.org ${key}\n\n[git.example.org]:2222 ${key} a comment\n`;
    assert.deepEqual(readHostKeys(text), [key]);
    assert.deepEqual(readHostKeys(key), [key]);
    assert.deepEqual(readHostKeys(''), []);
  });

  it('are refused as anything else, which ssh would skip in silence or take for a command', () => {
    for (const line of [
      'github.com',
      '@cert-authority * ssh-ed25519 AAAA',
      `@revoked h ${key}`,
      'h ssh-ed25519 AAAA',
    ]) {
      refused(() => readHostKeys(line), /ssh-keyscan/);
    }
  });
});
