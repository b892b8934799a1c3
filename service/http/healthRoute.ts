import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { HealthFinding } from '../../protocol/admin.ts';
import type { EngineName, Health } from '../../protocol/boxes.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { routes } from '../../protocol/routes.ts';
import { apiVersion } from '../../protocol/version.ts';
import { addRoute } from './route.ts';

export interface HealthParts {
  readonly version: string;
  readonly instanceId: string;
  readonly engine: EngineName;
  /** Empty: all is well. */
  readonly findings: () => Promise<readonly HealthFinding[]>;
  /** What of the service cannot be used at all, in words that may be told anybody. Empty: it is ready. */
  readonly notReady: () => Promise<readonly string[]>;
}

const retryAfterSeconds = 10;

/** They need no token, so what exactly is wrong, such as an engine with known holes, is for this machine only. */
export function addHealthRoutes(app: FastifyInstance, parts: HealthParts): void {
  addRoute(app, routes.health, async ({ request }) => {
    const health = await healthOf(parts);
    if (health.problems.length === 0 || isHere(request)) return health;
    return { ...health, problems: ['Ask on its own machine: spoonctl status.'] };
  });
  addRoute(app, routes.live, async () => ({ status: 'live' as const }));
  addRoute(app, routes.ready, async () => {
    const reasons = await parts.notReady();
    if (reasons.length > 0) throw new SpoonError('not-ready', reasons.join(' '), { extra: { retryAfterSeconds } });
    return { status: 'ready' as const };
  });
}

/** With its reasons in full: for administrators. */
export async function healthOf({ findings, version, instanceId, engine }: HealthParts): Promise<Health> {
  const found = (await findings()).map(({ text }) => text);
  return { status: found.length === 0 ? 'ok' : 'degraded', apiVersion, version, instanceId, engine, problems: found };
}

/** A unix socket has no address. Who comes by way of a proxy on this machine is somewhere else, also when nobody named the proxy. */
function isHere({ ip, headers }: FastifyRequest): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false;
  return ip === undefined || ip === '' || /^(::1|(::ffff:)?127\.)/.test(ip);
}
