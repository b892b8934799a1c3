import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { SpoonEvent } from '../../protocol/events.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Spoons } from './spoons.ts';
import type { Threads } from './threads.ts';

export interface ThreadRouteParts {
  readonly threads: Threads;
  readonly spoons: Spoons;
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** `/v1/spoons` and `/v1/threads`. */
export function addThreadRoutes(app: FastifyInstance, { threads, spoons, publish }: ThreadRouteParts): void {
  const changed = (userId: string, request: FastifyRequest) =>
    publish(userId, { type: 'threads.changed', clientId: clientOf(request) });

  addRoute(app, routes.listSpoons, async ({ caller }) => ({
    spoons: await threads.listSpoons(requireUser(caller).userId),
  }));
  addRoute(app, routes.createSpoon, async ({ caller, body, request }) => {
    const { userId } = requireUser(caller);
    const spoon = await spoons.create(userId, body);
    changed(userId, request);
    return { ...spoon, threads: 0 };
  });
  addRoute(app, routes.removeSpoon, async ({ caller, params, request }) => {
    const { userId } = requireUser(caller);
    await spoons.remove(userId, params.id ?? '');
    changed(userId, request);
    return undefined;
  });
  addRoute(app, routes.listThreads, async ({ caller }) => ({
    threads: await threads.list(requireUser(caller).userId),
  }));
  addRoute(app, routes.createThread, async ({ caller, body, request }) => {
    const { userId } = requireUser(caller);
    const created = await threads.create(userId, body);
    changed(userId, request);
    return created;
  });
  addRoute(app, routes.removeThread, async ({ caller, params, request }) => {
    const { userId } = requireUser(caller);
    await threads.remove(userId, params.id ?? '');
    changed(userId, request);
    return undefined;
  });
}
