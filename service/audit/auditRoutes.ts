import type { FastifyInstance, FastifyRequest } from 'fastify';
import { onOneLine } from '../../protocol/plainText.ts';
import { routes } from '../../protocol/routes.ts';
import { addRoute } from '../http/route.ts';
import type { Audit, AuditEvent } from './audit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a route that makes something: what it made has its name only afterwards. */
    auditObject: string | undefined;
  }
}

const maxAgentCharacters = 200;
const headIntervalMs = 60 * 60 * 1000;

export interface AuditHookParts {
  readonly audit: Audit;
  /** Somewhere else than the database: tells later whether the end of the audit was cut off. */
  readonly keepHead: (text: string) => void;
  /** For the log: an entry that could not be written where work goes on all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * Writes down what the route table names an audit event for: before it is done, and a second time if it is refused. What
 * must not happen unseen does not happen when that cannot be written; terminals go on. To be added before the routes.
 */
export function addAuditHooks(app: FastifyInstance, { audit, keepHead, onError }: AuditHookParts): void {
  app.decorateRequest('auditObject', undefined);
  const tellHead = async () => {
    const head = await audit.head();
    if (head !== undefined) keepHead(`${head.seq}:${head.mac}`);
  };
  const timer = setInterval(() => void tellHead().catch(onError), headIntervalMs).unref();
  app.addHook('onReady', tellHead);
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await tellHead();
  });
  app.addHook('preHandler', async (request) => {
    const route = request.routeOptions.config.spoonRoute;
    if (route?.audit === undefined) return;
    const written = audit.record(eventOf(request, route.audit, 'started'));
    if (route.auditMayFail === true) written.catch(onError);
    else await written;
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? undefined : request.routeOptions.config.spoonRoute;
    const { errorCode, auditObject } = request;
    if (route?.audit !== undefined && auditObject !== undefined && reply.statusCode < 400) {
      await audit.record(eventOf(request, route.audit, 'done', undefined, { object: auditObject })).catch(onError);
    }
    // Without a caller nobody has shown who they are: what anybody on the network can send must not fill the disk.
    if (route?.audit === undefined || request.caller === null || reply.statusCode < 400) return;
    if (errorCode === 'audit-unavailable') return;
    await audit.record(eventOf(request, route.audit, 'refused', errorCode)).catch(onError);
  });
}

/** `/v1/admin/audit` */
export function addAuditRoutes(app: FastifyInstance, { audit }: { audit: Audit }): void {
  addRoute(app, routes.adminListAudit, async ({ query }) => audit.page(query));
  addRoute(app, routes.adminVerifyAudit, async ({ body }) => audit.verify(body.head));
}

/** @param changes for who is not signed in yet */
export function eventOf(
  request: FastifyRequest,
  event: string,
  result: AuditEvent['result'],
  code: string | undefined = undefined,
  changes: Partial<AuditEvent> = {},
): AuditEvent {
  const { caller, params, headers, ip, id } = request;
  const { username, id: objectId } = (params ?? {}) as { username?: string; id?: string };
  const agent = headers['user-agent'];
  return {
    event,
    result,
    code: code ?? null,
    actor: {
      kind: caller?.kind ?? 'nobody',
      userId: caller?.userId ?? null,
      username: caller?.username ?? null,
      tokenId: caller?.tokenId ?? null,
    },
    object: shortened(username ?? objectId, maxAgentCharacters),
    address: ip || null,
    userAgent: shortened(agent, maxAgentCharacters),
    requestId: id,
    ...changes,
  };
}

function shortened(text: string | undefined, length: number): string | null {
  return text === undefined ? null : onOneLine(text).slice(0, length);
}
