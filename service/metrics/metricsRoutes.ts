import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { Metrics } from './metrics.ts';

/** `/metrics`, for administrators. */
export function addMetricsRoutes(app: FastifyInstance, metrics: Metrics): void {
  addRoute(app, routes.adminMetrics, async ({ reply }) =>
    reply
      .type(metrics.contentType)
      .header('cache-control', 'no-store')
      .send(await metrics.render()),
  );
}
