import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { BoxNetwork } from './engine.ts';

/** `/v1/admin/network` */
export function addNetworkRoutes(app: FastifyInstance, { network }: { network: BoxNetwork | undefined }): void {
  const known = (): BoxNetwork => {
    if (network !== undefined) return network;
    throw new SpoonError('not-found', "Boxes share this machine's network here; there are no rules for it.");
  };
  addRoute(app, routes.adminNetwork, async () => known().report());
  addRoute(app, routes.adminCheckNetwork, async () => known().check());
}
