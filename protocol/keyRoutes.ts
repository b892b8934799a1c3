import { KeyStatus, RewrappedKeys } from './keys.ts';
import type { Route } from './route.ts';

export const keyRoutes = {
  adminKeys: {
    method: 'GET',
    path: '/v1/admin/keys',
    scope: 'admin:system',
    summary: 'The root keys that this database knows, and how many data keys each wraps',
    response: KeyStatus,
  },
  adminRewrapKeys: {
    method: 'POST',
    path: '/v1/admin/keys/rewrap',
    scope: 'admin:system',
    audit: 'keys.rewrap',
    summary: 'Wrap all data keys with the current root key; goes on where an earlier one was ended',
    response: RewrappedKeys,
  },
} as const satisfies Record<string, Route>;
