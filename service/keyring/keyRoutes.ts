import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { Store } from '../store/database.ts';
import type { Keyring } from './keyring.ts';

/** `/v1/admin/keys` */
export function addKeyRoutes(app: FastifyInstance, { keyring, store }: { keyring: Keyring; store: Store }): void {
  addRoute(app, routes.adminKeys, async () => keyring.status());
  addRoute(app, routes.adminRewrapKeys, async () => {
    const rewrapped = await keyring.rewrap(store);
    return { rewrapped, ...(await keyring.status()) };
  });
}
