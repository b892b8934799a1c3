/** What a token may do (`security.md` section 4). An admin token has no user scopes and cannot read contents. */
export const userScopes = [
  'files:read',
  'files:write',
  'secrets:write',
  'terminals:open',
  'boxes:manage',
  'tokens:manage',
] as const;
export const adminScopes = ['admin:users', 'admin:boxes', 'admin:audit', 'admin:system'] as const;

/** Of a worker elsewhere, for one job; nothing of it is a user's or an admin's. */
export const workerScopes = ['worker:lease'] as const;

export type UserScope = (typeof userScopes)[number];
export type AdminScope = (typeof adminScopes)[number];
export type WorkerScope = (typeof workerScopes)[number];
export type Scope = UserScope | AdminScope | WorkerScope;
/**
 * `public` needs no token, `signed-in` any valid one, `ticket` a one-use ticket. `operator` is no token at all: whoever can open the
 * admin socket on the service's own machine.
 */
export type RouteScope = Scope | 'public' | 'signed-in' | 'ticket' | 'operator';
