import { AuditPage, AuditQuery, AuditReport, VerifyAuditRequest } from './audit.ts';
import type { Route } from './route.ts';

export const auditRoutes = {
  adminListAudit: {
    method: 'GET',
    path: '/v1/admin/audit',
    scope: 'admin:audit',
    summary: 'Who did what, page by page',
    query: AuditQuery,
    response: AuditPage,
  },
  adminVerifyAudit: {
    method: 'POST',
    path: '/v1/admin/audit/verify',
    scope: 'admin:audit',
    summary: 'Whether every entry is as it was written, and none is missing',
    body: VerifyAuditRequest,
    response: AuditReport,
  },
} as const satisfies Record<string, Route>;
