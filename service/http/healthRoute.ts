import type { FastifyInstance } from 'fastify';
import type { EngineName } from '../../protocol/boxes.ts';
import { routes } from '../../protocol/routes.ts';
import { apiVersion } from '../../protocol/version.ts';
import { addRoute } from './route.ts';

export interface HealthParts {
  readonly version: string;
  readonly instanceId: string;
  readonly engine: EngineName;
  /** In plain words; without paths and addresses, for it needs no token. Empty: all is well. */
  readonly problems: () => Promise<readonly string[]>;
}

/** `/v1/health`. */
export function addHealthRoute(app: FastifyInstance, { problems, ...facts }: HealthParts): void {
  addRoute(app, routes.health, async () => {
    const found = [...(await problems())];
    const status = found.length === 0 ? ('ok' as const) : ('degraded' as const);
    return { status, apiVersion, ...facts, problems: found };
  });
}
