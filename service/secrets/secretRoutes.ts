import type { FastifyInstance } from 'fastify';
import { routes } from '../../protocol/routes.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import { requireUser } from '../http/authenticate.ts';
import { addRoute } from '../http/route.ts';
import type { Secrets } from './secrets.ts';

export interface SecretRouteParts {
  readonly secrets: Secrets;
  readonly terminals: { list(userId: string): Promise<Terminal[]> };
}

/** `/v1/secrets` */
export function addSecretRoutes(app: FastifyInstance, { secrets, terminals }: SecretRouteParts): void {
  addRoute(app, routes.listSecrets, async ({ caller }) => ({
    secrets: await secrets.list(requireUser(caller).userId),
  }));
  addRoute(app, routes.setSecret, async ({ caller, params, body }) => {
    const { userId } = requireUser(caller);
    const { sealed, spoon = null, scopes, file } = body;
    const secret = await secrets.set(userId, {
      name: params.name ?? '',
      spoon,
      box: Buffer.from(sealed, 'base64'),
      scopes,
      file,
    });
    return { secret, olderTerminals: (await openTerminals(userId, secret.spoon)).map(({ title, id }) => title || id) };
  });
  addRoute(app, routes.removeSecret, async ({ caller, params, query }) => {
    await secrets.remove(requireUser(caller).userId, params.name ?? '', query.spoon ?? null);
    return undefined;
  });

  /** That the value is stored is not undone by a box that does not answer. */
  async function openTerminals(userId: string, spoon: string | null): Promise<Terminal[]> {
    const open = await terminals.list(userId).catch(() => []);
    return open.filter(({ thread }) => spoon === null || thread?.startsWith(`${spoon}/`));
  }
}
