import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { plainLog } from '../../protocol/plainText.ts';
import { routes } from '../../protocol/routes.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientGone } from '../http/clientGone.ts';
import type { RateLimits } from '../http/rateLimits.ts';
import { addRoute } from '../http/route.ts';
import type { Jobs } from './jobs.ts';
import { inOnePiece } from './keptLog.ts';
import { searchJobs } from './searchJobs.ts';

/** `/v1/jobs`. */
export function addJobRoutes(app: FastifyInstance, { jobs, limits }: { jobs: Jobs; limits: RateLimits }): void {
  /** One at a time for each user: it opens every log. */
  const searching = new Set<string>();

  addRoute(app, routes.runJob, async ({ caller, body, request }) => {
    const { userId, tokenId } = requireUser(caller);
    limits.opens.take(tokenId);
    const job = await jobs.run(userId, body);
    request.auditObject = job.id;
    return job;
  });
  addRoute(app, routes.listJobs, async ({ caller, query }) => ({
    jobs: await jobs.list(requireUser(caller).userId, query.thread),
  }));
  addRoute(app, routes.searchJobs, async ({ caller, body: { text, thread }, reply }) => {
    const { userId } = requireUser(caller);
    if (searching.has(userId)) throw new SpoonError('too-many-requests', 'Another search of yours is under way.');
    searching.add(userId);
    try {
      const found = await jobs.stored(userId, thread);
      return await searchJobs(found, text, { logParts: (job) => jobs.logParts(job), signal: clientGone(reply) });
    } finally {
      searching.delete(userId);
    }
  });
  addRoute(app, routes.clearJobs, async ({ caller }) => ({ removed: await jobs.clear(requireUser(caller).userId) }));
  addRoute(app, routes.readJob, async ({ caller, params }) => jobs.read(requireUser(caller).userId, params.id ?? ''));
  addRoute(app, routes.removeJob, async ({ caller, params }) => {
    await jobs.remove(requireUser(caller).userId, params.id ?? '');
    return undefined;
  });
  addRoute(app, routes.cancelJob, async ({ caller, params }) =>
    jobs.cancel(requireUser(caller).userId, params.id ?? ''),
  );
  addRoute(app, routes.retryJob, async ({ caller, params, request }) => {
    const { userId, tokenId } = requireUser(caller);
    limits.opens.take(tokenId);
    const job = await jobs.retry(userId, params.id ?? '');
    request.auditObject = job.id;
    return job;
  });
  addRoute(app, routes.jobLog, async ({ caller, params, query, reply }) => {
    const log = await inOnePiece(jobs.logParts(await jobs.find(requireUser(caller).userId, params.id ?? '')));
    if (query.format !== 'text') return reply.header('content-type', 'application/octet-stream').send(log);
    return reply.header('content-type', 'text/plain; charset=utf-8').send(plainLog(log.toString('utf8')));
  });
  addRoute(app, routes.jobDiff, async ({ caller, params, reply }) =>
    reply
      .header('content-type', 'text/plain; charset=utf-8')
      .send(await jobs.diff(requireUser(caller).userId, params.id ?? '')),
  );
}
