import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type ErrorCode, SpoonError } from '../../protocol/errors.ts';
import {
  maxConnections,
  maxRequestsPerUser,
  maxTransfersPerUser,
  maxWaitingRequestsPerUser,
  requestTimeoutMs,
} from '../../protocol/limits.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { apiVersion } from '../../protocol/version.ts';
import { createAppServer, httpOptions } from './appServer.ts';
import { type Authentication, authenticate, requireScope } from './authenticate.ts';
import type { Certificate } from './certificate.ts';
import { clientGone } from './clientGone.ts';
import { addBodyParsers, createInputCheck, methodsOf } from './inputs.ts';
import type { LiveRequests } from './liveRequests.ts';
import { asSpoonError, rawProblem, securityHeaders, sendProblem } from './problem.ts';
import { type AccessRules, checkRequest, parseQuery } from './requestChecks.ts';
import { RequestSlots } from './requestSlots.ts';
import { addRoute } from './route.ts';

/** One finished request, for the log: nothing here was chosen by the client but the method. */
export interface RequestReport {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly requestId: string;
  readonly userId?: string;
  readonly tokenId?: string;
  readonly code?: string;
}

export interface HttpSettings {
  readonly access: AccessRules & { readonly trustedProxies: readonly string[] };
  readonly authentication: Authentication;
  readonly live: LiveRequests;
  /** Absent: plain HTTP. */
  readonly certificate?: Certificate | undefined;
  readonly version: string;
  readonly report: (report: RequestReport) => void;
  /** A bug, or what caused a failure of the machine: never shown to the client. */
  readonly failure: (error: unknown, requestId: string) => void;
}

const table: readonly Route[] = Object.values(routes);
const shortIdCharacters = 16;

/**
 * The HTTP app without its routes: limits, checks, authentication, problem documents, OpenAPI. What it must never do: let a
 * route through that names no scope, or let a text of the framework reach a client.
 */
export async function createHttpApp(settings: HttpSettings): Promise<FastifyInstance> {
  const { access, authentication, live } = settings;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: access.trustedProxies.length === 0 ? false : [...access.trustedProxies],
    genReqId: () => `req_${crypto.randomUUID().replaceAll('-', '').slice(0, shortIdCharacters)}`,
    requestIdHeader: false,
    routerOptions: { querystringParser: (text) => parseQuery(text) ?? {}, maxParamLength: 256 },
    serverFactory: (handler) => createAppServer(handler, settings.certificate),
    clientErrorHandler: (error, socket) => answerParserError(error, socket as Socket),
    frameworkErrors: (error, _request, reply) => {
      void sendProblem(reply, asSpoonError(error));
    },
  });
  guardServer(app.server);
  app.decorateRequest('caller', null);
  addBodyParsers(app);
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const check = createInputCheck(schema as Parameters<typeof createInputCheck>[0], httpPart);
    return (value: unknown) => {
      try {
        return { value: check(value) };
      } catch (error) {
        return { error: asSpoonError(error) };
      }
    };
  });
  // fastify's serializer drops what a schema does not name; routes build their answers themselves, field by field.
  app.setSerializerCompiler(() => JSON.stringify);
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.spoonRoute?.scope === undefined) {
      throw new Error(`Route without a scope: ${String(method)} ${url}. Add it to protocol/routes.ts.`);
    }
  });

  const slots = createSlots();
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    if (request.protocol === 'https') reply.header('strict-transport-security', 'max-age=31536000');
    if (closing) {
      reply.header('connection', 'close');
      throw new SpoonError('shutting-down');
    }
    checkRequest(request.raw, access);
    if (request.is404) return;
    const route = request.routeOptions.config.spoonRoute;
    if (route === undefined) throw new Error('A route without an entry in the table was registered.');
    await admit(request, route, authentication);
    const { tokenId = null } = request.caller ?? {};
    if (tokenId !== null) live.add(tokenId, reply.raw);
    await holdSlot(request, reply, slots);
  });
  // Who has stolen a token can hold back the end of a request, or keep it waiting, until that is revoked.
  app.addHook('preHandler', async (request, reply) => {
    live.requireLive(reply.raw);
    if (request.routeOptions.config.spoonRoute?.bytes !== 'archive') return;
    request.body = readWhole(request.body as AsyncIterable<Buffer>, () => live.requireLive(reply.raw));
  });
  app.setNotFoundHandler(async (request, reply) => {
    const methods = methodsOf(request.url.split('?')[0] ?? '', table);
    const error =
      methods.length === 0
        ? new SpoonError('not-found')
        : new SpoonError('method-not-allowed', undefined, { extra: { allow: methods.join(', ') } });
    return sendProblem(reply, error);
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const error = asSpoonError(thrown);
    // Nobody is there any more, which is neither a bug nor worth a line for each who leaves.
    const isGone = reply.raw.destroyed && thrown instanceof DOMException && thrown.name === 'AbortError';
    if (error.code === 'internal-error' && !isGone) settings.failure(error.cause ?? error, request.id);
    // The client gets words of ours; those of Docker, a tool or the system, with paths of this host, are in the cause.
    else if (error.status >= 500 && error.cause !== undefined) settings.failure(error, request.id);
    request.errorCode = error.code;
    return sendProblem(reply, error);
  });
  app.decorateRequest('errorCode', undefined);
  app.addHook('onResponse', async (request, reply) => settings.report(reportOf(request, reply)));
  await addOpenApi(app, settings.version);
  return app;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that was answered, for the log. */
    errorCode: ErrorCode | undefined;
  }
}

/** Every entry of the table has its route: a forgotten one is found at start and not by a user. */
export function requireAllRoutes(app: FastifyInstance): void {
  for (const { method, path } of table) {
    if (!app.hasRoute({ method, url: path })) throw new Error(`No route answers ${method} ${path}.`);
  }
}

function guardServer(server: Server): void {
  server.maxConnections = maxConnections;
  server.on('connect', (_request, socket: Socket) => {
    socket.end(rawProblem(new SpoonError('method-not-allowed')));
  });
}

/** The same app over a socket of the file system. Upgrades are not for the operator, who has no terminals. */
export function createOperatorServer(app: FastifyInstance, operatorSockets: WeakSet<Socket>): Server {
  const server = createServer(
    { ...httpOptions, shouldUpgradeCallback: () => false, requestTimeout: requestTimeoutMs },
    (request, response) => app.routing(request, response),
  );
  server.on('connection', (socket) => operatorSockets.add(socket));
  server.on('clientError', (error, socket) => answerParserError(error, socket as Socket));
  guardServer(server);
  return server;
}

/** Longer than any method that somebody means. */
const maxMethodBytes = 24;

function answerParserError(error: Error, socket: Socket): void {
  // What Node's parser adds to its errors; its types know only a part of it.
  const { code, bytesParsed = 0, rawPacket } = error as { code?: string; bytesParsed?: number; rawPacket?: Buffer };
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  // What follows a request that was shorter than its body is no method either, but rubbish.
  const isMethod =
    bytesParsed < maxMethodBytes && /^[A-Z]+ \//.test(String(rawPacket?.subarray(0, 2 * maxMethodBytes)));
  const known = code === 'HPE_INVALID_METHOD' && !isMethod ? new SpoonError('http-invalid') : asSpoonError(error);
  socket.end(rawProblem(known.code === 'internal-error' ? new SpoonError('http-invalid') : known));
  // A peer that goes on sending after a broken request is not listened to.
  socket.destroySoon();
}

async function admit(request: FastifyRequest, route: Route, authentication: Authentication): Promise<void> {
  const { scope } = route;
  if (scope === 'public') return;
  // A WebSocket's route over a plain request: the ticket is left alone.
  if (scope === 'ticket') throw new SpoonError('upgrade-required');
  const caller = await authenticate(request.raw, request.ip, authentication);
  request.caller = caller;
  authentication.limits.requests.take(caller.tokenId ?? caller.kind);
  requireScope(caller, scope);
}

/** Only its reader knows when all of it has come. */
async function* readWhole(body: AsyncIterable<Buffer>, check: () => void): AsyncGenerator<Buffer> {
  yield* body;
  check();
}

function createSlots(): { transfers: RequestSlots; others: RequestSlots } {
  const maxWaiting = maxWaitingRequestsPerUser;
  return {
    transfers: new RequestSlots({ perUser: maxTransfersPerUser, maxWaiting }),
    others: new RequestSlots({ perUser: maxRequestsPerUser, maxWaiting }),
  };
}

/** Before the body is read, and until the answer has been: what a request holds in memory, it holds in its slot. */
async function holdSlot(
  { caller, routeOptions }: FastifyRequest,
  reply: FastifyReply,
  { transfers, others }: ReturnType<typeof createSlots>,
): Promise<void> {
  // By user, who may have a hundred tokens.
  const holder = caller?.userId ?? caller?.tokenId;
  if (holder === undefined || holder === null) return;
  const route = routeOptions.config.spoonRoute;
  const isTransfer = route?.scope === 'files:read' || route?.scope === 'files:write' || route?.bytes !== undefined;
  const give = await (isTransfer ? transfers : others).take(holder, clientGone(reply));
  if (reply.raw.closed) give();
  reply.raw.once('close', give);
  // A client that has stopped reading is no reason to keep a file in memory; without a listener Node ends the connection.
  if (isTransfer) reply.raw.setTimeout(requestTimeoutMs);
}

function reportOf(request: FastifyRequest, reply: { statusCode: number; elapsedTime: number }): RequestReport {
  const { caller, errorCode } = request;
  return {
    method: request.method,
    route: request.is404 ? 'none' : (request.routeOptions.url ?? 'none'),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    requestId: request.id,
    ...(caller?.userId ? { userId: caller.userId } : {}),
    ...(caller?.tokenId ? { tokenId: caller.tokenId } : {}),
    ...(errorCode === undefined ? {} : { code: errorCode }),
  };
}

async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Spoon',
        version,
        description: `API version ${apiVersion}. Errors are RFC 9457 problem documents.`,
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.spoonRoute?.scope;
      const security = scope === 'public' ? [] : [{ token: [] }];
      return { schema: { ...schema, security, description: `Scope: ${scope}.` }, url };
    },
  });
  // Plugins see only the routes that come after they are loaded, so this one is the first.
  addRoute(app, routes.openapi, async () => app.swagger());
}
