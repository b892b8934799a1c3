import type { FastifyInstance } from 'fastify';
import type { EngineName } from '../../protocol/boxes.ts';
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
export function addHealthRoute(app: FastifyInstance, { problems, ...facts }: HealthParts): void {
  addRoute(app, routes.health, async ({ request }) => {
    const found = [...(await problems())];
    const status = found.length === 0 ? ('ok' as const) : ('degraded' as const);
    const shown = found.length === 0 || isHere(request.ip) ? found : ['Ask on its own machine: spoonctl status.'];
    return { status, apiVersion, ...facts, problems: shown };
  });
}

/** A unix socket has no address. */
function isHere(address: string | undefined): boolean {
  return address === undefined || address === '' || /^(::1|(::ffff:)?127\.)/.test(address);
}
