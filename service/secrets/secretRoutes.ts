import type { FastifyInstance } from 'fastify';
import type { SpoonEvent } from '../../protocol/events.ts';
import { routes } from '../../protocol/routes.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import { requireUser } from '../http/authenticate.ts';
import { clientOf } from '../http/clientOf.ts';
import { addRoute } from '../http/route.ts';
import type { Secrets } from './secrets.ts';

export interface SecretRouteParts {
  readonly secrets: Secrets;
  readonly terminals: { list(userId: string): Promise<Terminal[]> };
  readonly publish: (userId: string, event: SpoonEvent) => void;
}

/** `/v1/secrets` */
export function addSecretRoutes(app: FastifyInstance, { secrets, terminals, publish }: SecretRouteParts): void {
  addRoute(app, routes.listSecrets, async ({ caller }) => ({
    secrets: await secrets.list(requireUser(caller).userId),
  }));
  addRoute(app, routes.setSecret, async ({ caller, params, body, request }) => {
    const { userId } = requireUser(caller);
    const { sealed, spoon = null, scopes, file } = body;
    const secret = await secrets.set(userId, {
      name: params.name ?? '',
      spoon,
      box: sealed === undefined ? undefined : Buffer.from(sealed, 'base64'),
      scopes,
      file,
    });
    request.auditObject = await secrets.idOf(userId, secret.name, spoon);
    publish(userId, { type: 'secrets.changed', clientId: clientOf(request) });
    return { secret, olderTerminals: (await openTerminals(userId, secret.spoon)).map(({ title, id }) => title || id) };
  });
  addRoute(app, routes.removeSecret, async ({ caller, params, query, request }) => {
    const { userId } = requireUser(caller);
    await secrets.remove(userId, params.name ?? '', query.spoon ?? null);
    request.auditObject = await secrets.idOf(userId, params.name ?? '', query.spoon ?? null);
    publish(userId, { type: 'secrets.changed', clientId: clientOf(request) });
    return undefined;
  });

  /** That the value is stored is not undone by a box that does not answer. */
  async function openTerminals(userId: string, spoon: string | null): Promise<Terminal[]> {
    const open = await terminals.list(userId).catch(() => []);
    return open.filter(({ thread }) => spoon === null || thread?.startsWith(`${spoon}/`));
  }
}
