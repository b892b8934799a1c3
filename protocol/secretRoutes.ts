import type { Route } from './route.ts';
import { SealKey } from './sealKeys.ts';

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
    summary: 'A new key; what was sealed with the old one is still opened',
    response: SealKey,
  },
} as const satisfies Record<string, Route>;
