import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import { requireScope, requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import type { RateLimits } from '../http/rateLimits.ts';
import { addRoute } from '../http/route.ts';
import type { Terminals } from './terminals.ts';
import type { Tickets } from './tickets.ts';

/** `/v1/terminals` and `/v1/tickets`. */
export function addTerminalRoutes(
  app: FastifyInstance,
  {
    terminals,
    tickets,
    checkJob,
    limits,
  }: {
    terminals: Terminals;
    tickets: Tickets;
    /** @throws SpoonError `not-found`, also for another user's */
    checkJob: (userId: string, id: string) => Promise<unknown>;
    limits: RateLimits;
  },
): void {
  addRoute(app, routes.openTerminal, async ({ caller, body, request, reply }) => {
    const asker = requireUser(caller);
    limits.opens.take(asker.tokenId);
    const { value, ...rest } = await terminals.open(asker, body, clientGone(reply));
    request.auditObject = value.id;
    return { terminal: value, ...rest };
  });
  addRoute(app, routes.listTerminals, async ({ caller }) => ({
    terminals: await terminals.list(requireUser(caller).userId),
  }));
  addRoute(app, routes.closeTerminal, async ({ caller, params }) => {
    await terminals.close(requireUser(caller).userId, params.id ?? '');
    return undefined;
  });
  addRoute(app, routes.createTicket, async ({ caller, body: { kind, id } }) => {
    const asker = requireUser(caller);
    if (kind === 'terminal') {
      requireScope(caller, 'terminals:open');
      if (id === undefined) throw new SpoonError('request-invalid', 'Say which terminal, as id.');
      return terminals.ticketFor(asker, id);
    }
    if (kind === 'job') {
      requireScope(caller, 'terminals:open');
      if (id === undefined) throw new SpoonError('request-invalid', 'Say which job, as id.');
      await checkJob(asker.userId, id);
      return tickets.issue({ kind, id, userId: asker.userId, tokenId: asker.tokenId });
    }
    requireScope(caller, kind === 'files' ? 'terminals:open' : 'files:read');
    if (id !== undefined) throw new SpoonError('request-invalid', 'Only a ticket for a terminal or a job has an id.');
    const { userId, tokenId } = asker;
    return tickets.issue({ kind, id: null, userId, tokenId });
  });
}
