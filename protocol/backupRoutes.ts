import type { Route } from './route.ts';

export const backupRoutes = {
  adminCreateBackup: {
    method: 'POST',
    path: '/v1/admin/backups',
    scope: 'admin:system',
    audit: 'backup.create',
    summary: 'Everything that is stored, as one file without a key in it, while the service is in use',
    bytes: 'response',
  },
} as const satisfies Record<string, Route>;
