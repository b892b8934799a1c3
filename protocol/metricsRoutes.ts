import type { Route } from './route.ts';

/** For collectors such as Prometheus; without a token at `SPOON_METRICS_LISTEN`. */
export const metricsRoutes = {
  adminMetrics: {
    method: 'GET',
    path: '/metrics',
    scope: 'admin:system',
    summary: 'How the service is used, in the text format of Prometheus: counts, sizes and times, and no names',
    bytes: 'response',
  },
} as const satisfies Record<string, Route>;
