import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readConfig } from './config.ts';
import { withClientSecret } from './oidcSettings.ts';

const right = {
  SPOON_PUBLIC_URL: 'https://spoon.example.org',
  SPOON_OIDC_ISSUER: 'https://id.example.org/realms/team',
  SPOON_OIDC_CLIENT_ID: 'spoon',
  SPOON_OIDC_CLIENT_SECRET: 'of the client',
};
const read = (changes: Record<string, string | undefined>) => readConfig({ ...right, ...changes }, '/tmp');

describe('the settings of the sign-in provider', () => {
  it('are few, and have names that say what they are', () => {
    assert.deepEqual(read({}).oidc, {
      issuer: 'https://id.example.org/realms/team',
      clientId: 'spoon',
      clientSecret: 'of the client',
      clientSecretFile: undefined,
      name: 'id.example.org',
      scope: 'openid profile',
      usernameClaim: 'preferred_username',
      provisions: false,
      adminGroup: undefined,
      groupsClaim: 'groups',
    });
    assert.deepEqual(read({}).warnings, []);
  });

  it('are none where there is no provider, and nothing is a warning', () => {
    const { oidc, warnings } = readConfig({}, '/tmp');
    assert.deepEqual([oidc, warnings], [undefined, []]);
  });

  it('do not stay where programs inherit them', () => {
    const environment: NodeJS.ProcessEnv = { ...right };
    readConfig(environment, '/tmp');
    assert.equal(environment.SPOON_OIDC_CLIENT_SECRET, undefined);
  });

  it('may name a provider on this machine without TLS', () => {
    for (const issuer of ['http://127.0.0.1:9000', 'http://[::1]:9000/x']) {
      assert.equal(read({ SPOON_OIDC_ISSUER: issuer }).oidc?.issuer, issuer);
    }
  });

  for (const [name, value] of [
    ['SPOON_OIDC_ISSUER', ''],
    ['SPOON_OIDC_ISSUER', 'id.example.org'],
    ['SPOON_OIDC_ISSUER', 'http://id.example.org'],
    ['SPOON_OIDC_ISSUER', 'http://localhost:9000'],
    ['SPOON_OIDC_ISSUER', 'https://user:word@id.example.org'],
    ['SPOON_OIDC_ISSUER', 'https://id.example.org/?tenant=1'],
    ['SPOON_OIDC_CLIENT_ID', ''],
    ['SPOON_OIDC_CLIENT_ID', 'a\nb'],
    ['SPOON_OIDC_CLIENT_SECRET_FILE', '/etc/spoon/oidc'],
    ['SPOON_OIDC_NAME', 'n'.repeat(41)],
    ['SPOON_OIDC_SCOPES', 'profile'],
    ['SPOON_OIDC_SCOPES', 'openid "x"'],
    ['SPOON_OIDC_USERNAME_CLAIM', 'a b'],
    ['SPOON_OIDC_PROVISION', 'yes'],
    ['SPOON_OIDC_GROUPS_CLAIM', '"'],
    ['SPOON_PUBLIC_URL', ''],
  ] as const) {
    it(`stop the start where ${name} is ${JSON.stringify(value)}`, () => {
      assert.throws(() => read({ [name]: value }), {
        code: 'config-invalid',
        message: new RegExp(`${name} is .*Accepted`),
      });
    });
  }

  it('may have the secret in a file that nobody else may read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spoon-oidc-'));
    const file = join(folder, 'secret');
    try {
      const { oidc } = read({ SPOON_OIDC_CLIENT_SECRET: undefined, SPOON_OIDC_CLIENT_SECRET_FILE: file });
      await assert.rejects(withClientSecret(oidc), /SPOON_OIDC_CLIENT_SECRET_FILE names a file that does not exist/);
      await writeFile(file, 'of the client\n', { mode: 0o644 });
      await assert.rejects(withClientSecret(oidc), /others may read/);
      await rm(file);
      await writeFile(file, 'of the client\n', { mode: 0o600 });
      assert.equal((await withClientSecret(oidc))?.clientSecret, 'of the client');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
