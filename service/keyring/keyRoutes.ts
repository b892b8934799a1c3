import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { Store } from '../store/database.ts';
import type { Keyring } from './keyring.ts';
import type { DataKeyRotations } from './rotateData.ts';

export interface KeyRouteParts {
  readonly keyring: Keyring;
  readonly store: Store;
  readonly rotations: DataKeyRotations;
  /** The user of that name, or all. @throws SpoonError `not-found` */
  readonly userIds: (username: string | undefined) => Promise<readonly string[]>;
  /** Undefined where the user has none that is so old. */
  readonly renewSealKey: (
    userId: string,
    olderThanMs: number,
  ) => Promise<{ sealed: number; unopened: number } | undefined>;
}

/** `/v1/admin/keys` */
export function addKeyRoutes(app: FastifyInstance, parts: KeyRouteParts): void {
  const { keyring, store, rotations, userIds, renewSealKey } = parts;
  const status = async () => ({ ...(await keyring.status()), rotation: await rotations.status() });
  addRoute(app, routes.adminKeys, status);
  addRoute(app, routes.adminRewrapKeys, async () => {
    const rewrapped = await keyring.rewrap(store);
    return { rewrapped, ...(await status()) };
  });
  addRoute(app, routes.adminRotateDataKeys, async ({ body, request }) => {
    request.auditObject = body.username;
    const users = await userIds(body.username);
    await rotations.start(users);
    return { users: users.length, ...(await status()) };
  });
  addRoute(app, routes.adminRotateSealKeys, async ({ body, request }) => {
    request.auditObject = body.username;
    const olderThanMs = Date.now() - (body.minAgeMs ?? 0);
    const all = { users: 0, sealed: 0, unopened: 0 };
    for (const userId of await userIds(body.username)) {
      const renewed = await renewSealKey(userId, olderThanMs);
      if (renewed === undefined) continue;
      all.users += 1;
      all.sealed += renewed.sealed;
      all.unopened += renewed.unopened;
    }
    return all;
  });
}
