import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import type { RateLimits } from '../http/rateLimits.ts';
import { addRoute } from '../http/route.ts';
import type { Terminals } from './terminals.ts';

/** `/v1/commands`. */
export function addCommandRoutes(
  app: FastifyInstance,
  { terminals, limits }: { terminals: Terminals; limits: RateLimits },
): void {
  addRoute(app, routes.runCommand, async ({ caller, body, request, reply }) => {
    const asker = requireUser(caller);
    limits.opens.take(asker.tokenId);
    const { value, ...rest } = await terminals.prepareCommand(asker, body, clientGone(reply));
    request.auditObject = value;
    return { id: value, ...rest };
  });
}
