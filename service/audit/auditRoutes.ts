import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../../protocol/errors.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import { routes } from '../../protocol/routes.ts';
import { networkOf } from '../http/networkOf.ts';
import { addRoute } from '../http/route.ts';
import type { Audit } from './audit.ts';
import type { AuditEvent } from './chain.ts';
import type { GatheredEvents } from './gatheredEvents.ts';
import type { RepeatedEvents } from './repeatedEvents.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a route that makes something: what it made has its name only afterwards. */
    auditObject: string | undefined;
    /** Set by a route with `auditAfter`: the ids of what it has changed. */
    changedDotfiles: readonly string[] | undefined;
  }
}

const maxAgentCharacters = 200;
const headIntervalMs = 60 * 60 * 1000;

export interface AuditHookParts {
  readonly audit: Audit;
  readonly fromAnybody: RepeatedEvents;
  readonly fromWithin: RepeatedEvents;
  readonly ofUsers: RepeatedEvents;
  readonly gathered: GatheredEvents;
  /** A token was used, from this network. `tell` writes down that it is the first time. */
  readonly tokenUsed: (tokenId: string, network: string, tell: () => Promise<void>) => Promise<void>;
  /** Somewhere else than the database: tells later whether the end of the audit was cut off. */
  readonly keepHead: (text: string) => void;
  /** For the log: an entry that could not be written where work goes on all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * Writes down what the route table names an audit event for: before it is done, and a second time if it is refused. What
 * must not happen unseen does not happen when that cannot be written; terminals go on. To be added before the routes.
 */
export function addAuditHooks(app: FastifyInstance, parts: AuditHookParts): void {
  const { audit, onError } = parts;
  app.decorateRequest('auditObject', undefined);
  app.decorateRequest('changedDotfiles', undefined);
  addHeads(app, parts);
  app.addHook('preHandler', async (request) => {
    noteAddress(request, parts);
    const route = request.routeOptions.config.spoonRoute;
    if (route?.audit === undefined) return;
    const written = audit.record(eventOf(request, route.audit, 'started'));
    if (route.auditMayFail === true) written.catch(onError);
    else await written;
  });
  // Not after the answer: whoever does not wait for one has changed it all the same.
  app.addHook('onSend', async (request, reply) => noteChanges(request, reply, parts));
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? undefined : request.routeOptions.config.spoonRoute;
    const { errorCode, auditObject } = request;
    // Also where it was refused before anything else; there, once more, costs nothing.
    noteAddress(request, parts);
    noteRefusal(request, route?.audit, parts);
    if (route?.audit !== undefined && auditObject !== undefined && reply.statusCode < 400) {
      await audit.record(eventOf(request, route.audit, 'done', undefined, { object: auditObject })).catch(onError);
    }
    // Without a caller nobody has shown who they are: what anybody on the network can send must not fill the disk.
    if (route?.audit === undefined || request.caller === null || reply.statusCode < 400) return;
    if (errorCode === 'audit-unavailable') return;
    await audit.record(eventOf(request, route.audit, 'refused', errorCode)).catch(onError);
  });
}

function addHeads(app: FastifyInstance, { audit, keepHead, onError }: AuditHookParts): void {
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
}

/** Beside the request, as `last used` is. A worker's token is good for one job. */
function noteAddress(request: FastifyRequest, { ofUsers, tokenUsed, onError }: AuditHookParts): void {
  const { caller } = request;
  if (caller === null || caller.tokenId === null || caller.kind === 'worker') return;
  const { tokenId } = caller;
  const tell = () => {
    const event = eventOf(request, 'token.new-address', 'done', undefined, { object: tokenId });
    return ofUsers.record(`${event.event} ${tokenId}`, event);
  };
  tokenUsed(tokenId, networkOf(request), tell).catch(onError);
}

function noteChanges(request: FastifyRequest, { statusCode }: FastifyReply, { gathered }: AuditHookParts): void {
  const { caller, changedDotfiles = [] } = request;
  const event = request.is404 ? undefined : request.routeOptions.config.spoonRoute?.auditAfter;
  if (event === undefined || changedDotfiles.length === 0 || statusCode >= 400) return;
  const kind = `${event} ${caller?.tokenId} ${networkOf(request)}`;
  gathered.note(kind, eventOf(request, event, 'done'), changedDotfiles);
}

/** The event of a request that is turned away before anybody has shown who they are; undefined: it is none. */
export function turnedAway(code: ErrorCode): 'request.refused' | 'ticket.refused' | 'sign-in' | undefined {
  if (code === 'ticket-invalid') return 'ticket.refused';
  if (code === 'oidc-refused' || code === 'oidc-unknown' || code === 'oidc-linked') return 'sign-in';
  return code === 'origin-not-allowed' || code === 'credential-in-url' ? 'request.refused' : undefined;
}

function noteRefusal(request: FastifyRequest, routeEvent: string | undefined, parts: AuditHookParts): void {
  const { errorCode: code, caller } = request;
  if (code === undefined) return;
  const path = request.is404 ? undefined : request.routeOptions.config.spoonRoute?.path;
  const details = path === undefined ? {} : { details: { route: path } };
  const turned = turnedAway(code);
  if (turned !== undefined) {
    const network = networkOf(request);
    parts.fromAnybody.note(`${code} ${network}`, eventOf(request, turned, 'refused', code, details));
  } else if (code === 'integrity-failure' || code === 'key-unavailable') {
    const event = eventOf(request, 'integrity.failure', 'refused', code, details);
    parts.fromWithin.note(`${code} ${path} ${caller?.tokenId} ${event.object}`, event);
  } else if (code === 'insufficient-scope' && routeEvent === undefined) {
    const event = eventOf(request, 'request.refused', 'refused', code, details);
    parts.fromWithin.note(`${code} ${path} ${caller?.tokenId}`, event);
  }
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
  const { caller, params, ip, id } = request;
  const { username, id: objectId } = (params ?? {}) as { username?: string; id?: string };
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
    userAgent: agentOf(request.headers),
    requestId: id,
    ...changes,
  };
}

/** What a program calls itself, for an entry. */
export function agentOf(headers: { readonly 'user-agent'?: string | undefined }): string | null {
  return shortened(headers['user-agent'], maxAgentCharacters);
}

function shortened(text: string | undefined, length: number): string | null {
  return text === undefined ? null : onOneLine(text).slice(0, length);
}
