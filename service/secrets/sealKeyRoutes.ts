import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { addRoute } from '../http/route.ts';
import type { SealedValues } from './sealedValues.ts';

/** `/v1/me/seal-key` */
export function addSealKeyRoutes(app: FastifyInstance, { sealedValues }: { sealedValues: SealedValues }): void {
  addRoute(app, routes.sealKey, async ({ caller }) => sealedValues.key(requireUser(caller).userId));
  addRoute(app, routes.rotateSealKey, async ({ caller }) => sealedValues.rotateKey(requireUser(caller).userId));
}
