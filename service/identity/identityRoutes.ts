import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import type { User } from '../../protocol/identity.ts';
import { routes } from '../../protocol/routes.ts';
import { bearerOf, requireUser } from '../http/authenticate.ts';
import { addRoute } from '../http/route.ts';
import { systemOwnerId } from '../keyring/keyring.ts';
import type { Accounts } from './accounts.ts';
import type { NewToken, Tokens } from './tokens.ts';
import type { Account, Users } from './users.ts';

/** `/v1/me`, `/v1/tokens` and the users' side of `/v1/admin`. */
export function addIdentityRoutes(
  app: FastifyInstance,
  { users, tokens, accounts }: { users: Users; tokens: Tokens; accounts: Accounts },
): void {
  addRoute(app, routes.me, async ({ caller }) => {
    if (caller.kind === 'worker') throw new SpoonError('insufficient-scope');
    const account = caller.userId === null ? undefined : await users.byId(caller.userId);
    return {
      kind: caller.kind,
      user: account === undefined ? null : toUser(account),
      scopes: [...caller.scopes].sort(),
    };
  });

  addRoute(app, routes.listTokens, async ({ caller }) => ({ tokens: await tokens.list(requireUser(caller).userId) }));
  const create = async (request: FastifyRequest, wanted: NewToken) => {
    const created = await tokens.create({ ...wanted, askedBy: request.caller?.tokenId ?? null });
    request.auditObject = created.info.id;
    return created;
  };
  addRoute(app, routes.createToken, async ({ caller, body, request }) => {
    const { userId } = requireUser(caller);
    return create(request, { ...userToken(body), ownerId: userId });
  });
  addRoute(app, routes.renewToken, async ({ request, body }) => tokens.renew(bearerOf(request.raw), body.lifeDays));
  addRoute(app, routes.revokeToken, async ({ caller, params }) => {
    await tokens.revoke(params.id ?? '', requireUser(caller).userId);
    return undefined;
  });

  addRoute(app, routes.adminCreateUser, async ({ body, request }) => {
    const user = toUser(await users.create(body));
    request.auditObject = user.username;
    return user;
  });
  addRoute(app, routes.adminRenameUser, async ({ params, body }) =>
    toUser(await accounts.rename(params.username ?? '', body.displayName)),
  );
  addRoute(app, routes.adminDisableUser, async ({ params }) => toUser(await accounts.disable(params.username ?? '')));
  addRoute(app, routes.adminEnableUser, async ({ params }) => toUser(await accounts.enable(params.username ?? '')));
  addRoute(app, routes.adminPromoteUser, async ({ params }) => toUser(await accounts.promote(params.username ?? '')));
  addRoute(app, routes.adminDemoteUser, async ({ params }) => toUser(await accounts.demote(params.username ?? '')));
  addRoute(app, routes.adminRemoveUser, async ({ params, body }) =>
    accounts.remove(params.username ?? '', body.confirm),
  );
  addRoute(app, routes.adminListUserTokens, async ({ params }) => {
    const { id } = await accounts.named(params.username ?? '');
    return { tokens: await tokens.list(id) };
  });
  addRoute(app, routes.adminCreateToken, async ({ params, body, request }) => {
    const { id } = await accounts.named(params.username ?? '');
    return create(request, { ...userToken(body), ownerId: id });
  });
  addRoute(app, routes.adminListTokens, async () => ({ tokens: await tokens.list(systemOwnerId) }));
  addRoute(app, routes.adminCreateAdminToken, async ({ body, request }) => {
    if (body.kind === 'user') throw new SpoonError('request-invalid', 'A user’s token is made below that user.');
    return create(request, { ...body, kind: 'admin', ownerId: systemOwnerId });
  });
  addRoute(app, routes.adminRevokeToken, async ({ params }) => {
    await tokens.revoke(params.id ?? '');
    return undefined;
  });
}

/** Nobody makes an admin of a user by way of a token. */
function userToken<T extends { kind?: 'user' | 'admin' }>(body: T): T & { kind: 'user' } {
  if (body.kind === 'admin') throw new SpoonError('insufficient-scope', 'Admin tokens belong to no user.');
  return { ...body, kind: 'user' };
}

export function toUser({ id, username, displayName, createdMs, disabled, admin }: Account): User {
  return { id, username, displayName, createdMs, disabled, admin };
}
