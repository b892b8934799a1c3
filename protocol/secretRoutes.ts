import { Type } from 'typebox';
import type { Route } from './route.ts';
import { SealKey } from './sealKeys.ts';
import { SecretList, SetSecretRequest, SetSecretResult } from './secrets.ts';

/** The part of the route table (`routes.ts`) that is about sealed values. */
export const secretRoutes = {
  sealKey: {
    method: 'GET',
    path: '/v1/me/seal-key',
    scope: 'secrets:write',
    summary: 'The public key that values for this user are sealed with',
    response: SealKey,
  },
  rotateSealKey: {
    method: 'POST',
    path: '/v1/me/seal-key/rotate',
    scope: 'secrets:write',
    audit: 'seal-key.rotate',
    summary: 'A new key; what was sealed with the old one is still opened',
    response: SealKey,
  },
  listSecrets: {
    method: 'GET',
    path: '/v1/secrets',
    scope: 'secrets:write',
    summary: 'The names of all secrets, and where they appear; never a value',
    response: SecretList,
  },
  setSecret: {
    method: 'PUT',
    path: '/v1/secrets/:name',
    scope: 'secrets:write',
    audit: 'secret.set',
    summary: 'Set or replace one secret, sealed for secret/{name} or secret/{spoon}/{name}, or only where it appears',
    body: SetSecretRequest,
    response: SetSecretResult,
  },
  removeSecret: {
    method: 'DELETE',
    path: '/v1/secrets/:name',
    scope: 'secrets:write',
    audit: 'secret.remove',
    summary: 'Remove one secret',
    query: Type.Object({ spoon: Type.Optional(Type.String()) }, { additionalProperties: false }),
  },
} as const satisfies Record<string, Route>;
