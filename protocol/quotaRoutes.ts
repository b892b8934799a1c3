import { QuotaChange, UsageReport, UserQuota } from './quotas.ts';
import type { Route } from './route.ts';

/** What users may use and do use: the administrator's. */
export const quotaRoutes = {
  adminUsage: {
    method: 'GET',
    path: '/v1/admin/usage',
    scope: 'admin:users',
    summary: 'What each user uses of what, and all together; counts the homes of boxes that run',
    response: UsageReport,
  },
  adminUserQuota: {
    method: 'GET',
    path: '/v1/admin/users/:username/quota',
    scope: 'admin:users',
    summary: 'What a user may use, and uses; counts the home where the box runs',
    response: UserQuota,
  },
  adminSetUserQuota: {
    method: 'PUT',
    path: '/v1/admin/users/:username/quota',
    scope: 'admin:users',
    audit: 'user.quota',
    summary: 'Change what a user may use; null is as for everybody',
    body: QuotaChange,
    response: UserQuota,
  },
} as const satisfies Record<string, Route>;
