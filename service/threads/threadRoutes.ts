import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import type { SpoonEvent } from '../../protocol/events.ts';
import { routes } from '../../protocol/routes.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import { clientOf } from '../http/clientOf.ts';
import type { RateLimits } from '../http/rateLimits.ts';
import { addRoute } from '../http/route.ts';
import type { Spoons } from './spoons.ts';
import type { Threads } from './threads.ts';

export interface ThreadRouteParts {
  readonly threads: Threads;
  readonly spoons: Spoons;
  readonly terminals: { list(userId: string): Promise<Terminal[]> };
  /** Whether an agent works in the thread. */
  readonly hasJob: (threadId: string) => boolean;
  readonly limits: RateLimits;
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** `/v1/spoons` and `/v1/threads`. */
export function addThreadRoutes(app: FastifyInstance, parts: ThreadRouteParts): void {
  const { threads, spoons, terminals, publish, limits, hasJob } = parts;
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
  addRoute(app, routes.listBranches, async ({ caller, params, reply }) =>
    threads.branches(requireUser(caller).userId, params.id ?? '', { signal: clientGone(reply) }),
  );
  addRoute(app, routes.listThreads, async ({ caller, query }) => ({
    threads: await threads.list(requireUser(caller).userId, query.status ?? false),
  }));
  addRoute(app, routes.readThread, ({ caller, params }) => threads.read(requireUser(caller).userId, params.id ?? ''));
  addRoute(app, routes.createThread, async ({ caller, body, request, reply }) => {
    const { userId, tokenId } = requireUser(caller);
    limits.opens.take(tokenId);
    const { spoon, branch } = body;
    const clientId = clientOf(request);
    const created = await threads.create(userId, body, {
      signal: clientGone(reply),
      onProgress: (progress) => publish(userId, { type: 'thread.progress', spoon, branch, progress, clientId }),
    });
    changed(userId, request);
    return created;
  });
  addRoute(app, routes.checkOutThread, async ({ caller, params, request, reply }) => {
    const { userId } = requireUser(caller);
    const made = await threads.checkOut(userId, params.id ?? '', { signal: clientGone(reply) });
    changed(userId, request);
    return made;
  });
  addRoute(app, routes.updateThread, async ({ caller, params, request, reply }) => {
    const { userId } = requireUser(caller);
    const updated = await threads.update(userId, params.id ?? '', { signal: clientGone(reply) });
    changed(userId, request);
    return updated;
  });
  addRoute(app, routes.threadLosses, async ({ caller, params, reply }) => {
    const { userId } = requireUser(caller);
    const { losses, thread } = await threads.losses(userId, params.id ?? '', { signal: clientGone(reply) });
    const name = `${thread.spoon}/${thread.branch}`;
    const open = (await terminals.list(userId)).filter((terminal) => terminal.thread === name);
    return { losses, terminals: open.map(({ title, id }) => title || id) };
  });
  addRoute(app, routes.removeThread, async ({ caller, params, query, request, reply }) => {
    const { userId } = requireUser(caller);
    const id = params.id ?? '';
    const requireFree = () => {
      if (hasJob(id)) throw new SpoonError('thread-in-use', 'Wait for it, or cancel it.');
    };
    await threads.remove(userId, id, { confirm: query.confirm, requireFree }, clientGone(reply));
    changed(userId, request);
    return undefined;
  });
}
