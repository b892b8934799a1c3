import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { adminScopes, type Scope } from '../../protocol/scopes.ts';
import { operator, requireScope } from './authenticate.ts';
import type { Caller } from './route.ts';

const refusal = (caller: Caller, scope: Scope): string => {
  try {
    requireScope(caller, scope);
  } catch (error) {
    assert(error instanceof SpoonError && error.code === 'insufficient-scope');
    return error.message;
  }
  return '';
};
const holder = (scopes: readonly Scope[]): Caller => ({
  kind: 'user',
  userId: 'user',
  username: 'ada',
  tokenId: 'token',
  scopes: new Set(scopes),
});

describe('a token without the scope', () => {
  it('is told how to come by one where it is older than the scope', () => {
    assert.equal(refusal(holder(['files:read', 'secrets:write']), 'secrets:write'), '');
    assert.match(refusal(holder(['files:read']), 'secrets:write'), /older than secrets:write\. Sign in with a new one/);
  });

  it('is told nothing of that where no token of its kind has it', () => {
    assert.doesNotMatch(refusal(holder(['files:read']), 'admin:users'), /older/);
    assert.doesNotMatch(refusal({ ...operator, scopes: new Set(adminScopes) }, 'secrets:write'), /older/);
  });
});
