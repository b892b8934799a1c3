import {
  KeyStatus,
  RewrappedKeys,
  RotateDataKeysRequest,
  RotatedDataKeys,
  RotatedSealKeys,
  RotateSealKeysRequest,
} from './keys.ts';
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
  adminRotateDataKeys: {
    method: 'POST',
    path: '/v1/admin/keys/rotate-data',
    scope: 'admin:system',
    audit: 'keys.rotate-data',
    summary: 'New data keys for one user or all; what is stored is sealed anew while the service is in use',
    body: RotateDataKeysRequest,
    response: RotatedDataKeys,
  },
  adminRotateSealKeys: {
    method: 'POST',
    path: '/v1/admin/keys/rotate-seal',
    scope: 'admin:system',
    audit: 'keys.rotate-seal',
    summary: 'New seal keys for one user or all; clients ask their people whether that was meant',
    body: RotateSealKeysRequest,
    response: RotatedSealKeys,
  },
} as const satisfies Record<string, Route>;
