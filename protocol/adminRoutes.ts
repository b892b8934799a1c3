import { Box, BoxList } from './boxes.ts';
import { EgressReport } from './egress.ts';
import { CreatedToken, CreateTokenRequest, CreateUserRequest, TokenList, User, UserList } from './identity.ts';
import type { Route } from './route.ts';

/** The part of the route table that is the administrator's. */
export const adminRoutes = {
  adminListUsers: {
    method: 'GET',
    path: '/v1/admin/users',
    scope: 'admin:users',
    summary: 'All users',
    response: UserList,
  },
  adminCreateUser: {
    method: 'POST',
    path: '/v1/admin/users',
    scope: 'admin:users',
    summary: 'A new user with a name for life',
    body: CreateUserRequest,
    response: User,
  },
  adminCreateToken: {
    method: 'POST',
    path: '/v1/admin/users/:username/tokens',
    scope: 'admin:users',
    summary: 'A token for a user',
    body: CreateTokenRequest,
    response: CreatedToken,
  },
  adminListTokens: {
    method: 'GET',
    path: '/v1/admin/tokens',
    scope: 'admin:system',
    summary: 'All admin tokens, without their secrets',
    response: TokenList,
  },
  adminCreateAdminToken: {
    method: 'POST',
    path: '/v1/admin/tokens',
    scope: 'admin:system',
    summary: 'A new admin token: no user, no contents',
    body: CreateTokenRequest,
    response: CreatedToken,
  },
  adminRevokeToken: {
    method: 'DELETE',
    path: '/v1/admin/tokens/:id',
    scope: 'admin:users',
    summary: 'Revoke any token',
  },
  adminListBoxes: {
    method: 'GET',
    path: '/v1/admin/boxes',
    scope: 'admin:boxes',
    summary: 'All boxes',
    response: BoxList,
  },
  adminStopBox: {
    method: 'POST',
    path: '/v1/admin/boxes/:username/stop',
    scope: 'admin:boxes',
    summary: 'Stop the box of a user; the home stays',
    response: Box,
  },
  adminNetwork: {
    method: 'GET',
    path: '/v1/admin/network',
    scope: 'admin:system',
    summary: 'What boxes may reach beyond the internet, and whether they were found to reach more',
    response: EgressReport,
  },
  adminCheckNetwork: {
    method: 'POST',
    path: '/v1/admin/network/check',
    scope: 'admin:system',
    summary: 'Try from a throw-away box what boxes must not reach',
    response: EgressReport,
  },
} as const satisfies Record<string, Route>;
