import type { FastifyInstance } from 'fastify';
import type { EngineName, Health } from '../../protocol/boxes.ts';
import { routes } from '../../protocol/routes.ts';
import { apiVersion } from '../../protocol/version.ts';
import { addRoute } from './route.ts';

export interface HealthParts {
  readonly version: string;
  readonly instanceId: string;
  readonly engine: EngineName;
  /** In plain words. Empty: all is well. */
  readonly problems: () => Promise<readonly string[]>;
}

/** `/v1/health`. It needs no token, so what exactly is wrong, such as an engine with known holes, is for this machine only. */
export function addHealthRoute(app: FastifyInstance, parts: HealthParts): void {
  addRoute(app, routes.health, async ({ request }) => {
    const health = await healthOf(parts);
    if (health.problems.length === 0 || isHere(request.ip)) return health;
    return { ...health, problems: ['Ask on its own machine: spoonctl status.'] };
  });
}

/** With its reasons in full: for administrators. */
export async function healthOf({ problems, version, instanceId, engine }: HealthParts): Promise<Health> {
  const found = [...(await problems())];
  return { status: found.length === 0 ? 'ok' : 'degraded', apiVersion, version, instanceId, engine, problems: found };
}

/** A unix socket has no address. */
function isHere(address: string | undefined): boolean {
  return address === undefined || address === '' || /^(::1|(::ffff:)?127\.)/.test(address);
}
