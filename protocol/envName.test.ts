import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkEnvName } from './envName.ts';
import { SpoonError } from './errors.ts';

describe('names of environment variables', () => {
  for (const name of ['API_KEY', '_', '_A', 'A1', 'GIT_AUTHOR_NAME', 'LDAP_URL', 'A'.repeat(128)].filter(
    (n) => n !== '_',
  )) {
    it(`takes ${name.slice(0, 20)}`, () => assert.equal(checkEnvName(name), name));
  }

  const refused = [
    ...['', 'A=B', '1A', 'a', 'api_key', 'Api_Key', 'A B', 'A-B', 'Ä', 'A\0', 'A\n', 'A'.repeat(129), '../X'],
    ...['PATH', 'HOME', 'USER', 'SHELL', 'IFS', 'PS4', 'ENV', 'BASH_ENV', 'NODE_OPTIONS', 'PROMPT_COMMAND', '_'],
    ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'DYLD_INSERT_LIBRARIES', 'GIT_SSH_COMMAND', 'SPOON_SOCKET', 'SPOON'],
  ];
  for (const name of refused) {
    it(`refuses ${JSON.stringify(name.slice(0, 30))} (row 70)`, () => {
      assert.throws(
        () => checkEnvName(name),
        (error) => error instanceof SpoonError && error.code === 'env-name-invalid' && error.status === 422,
      );
    });
  }
});
