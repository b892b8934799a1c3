import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, type TSchema, Type } from 'typebox';
import type { Route } from '../../protocol/route.ts';
import type { Scope } from '../../protocol/scopes.ts';

/** Who makes a request. `operator`: over the admin socket, which only the service's own uid can open. */
export interface Caller {
  readonly kind: 'user' | 'admin' | 'operator' | 'worker';
  /** Null for admins and the operator: they have no contents. */
  readonly userId: string | null;
  /** Of an admin who is a user too: who it was, for the audit. */
  readonly username: string | null;
  readonly tokenId: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** Of a worker: the one job that it may ask about. */
  readonly jobId?: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The entry of the route table; `authenticate.ts` reads its scope. A route without one is refused at start. */
    spoonRoute?: Route;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** A parameter that no route has is refused like an unknown field of a body. */
const noQuery = Type.Object({}, { additionalProperties: false });

type Part<R extends Route, K extends 'query' | 'body'> = R[K] extends TSchema ? Static<R[K]> : undefined;
/** Where the JSON is there already, it is sent as bytes. */
type Answer<R extends Route> = R['response'] extends TSchema
  ? Static<R['response']> | FastifyReply
  : R['bytes'] extends 'response'
    ? FastifyReply
    : undefined;

export interface Incoming<R extends Route> {
  readonly query: Part<R, 'query'>;
  readonly body: R['bytes'] extends 'request'
    ? Buffer
    : R['bytes'] extends 'archive'
      ? AsyncIterable<Buffer>
      : Part<R, 'body'>;
  readonly params: Readonly<Record<string, string>>;
  readonly caller: R['scope'] extends 'public' ? null : Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Registers one entry of the route table; input has been checked against its schemas when `handle` runs. */
export function addRoute<R extends Route>(
  app: FastifyInstance,
  route: R,
  handle: (incoming: Incoming<R>) => Promise<Answer<R>>,
): void {
  app.route({
    method: route.method,
    url: route.path,
    config: { spoonRoute: route },
    schema: {
      summary: route.summary,
      ...(route.upgrade ? {} : { querystring: route.query ?? noQuery }),
      ...(route.body === undefined ? {} : { body: route.body }),
      ...(route.response === undefined ? {} : { response: { 200: route.response } }),
    },
    handler: async (request, reply) => {
      const incoming = {
        query: request.query,
        body: request.body,
        params: request.params,
        caller: request.caller,
        request,
        reply,
      } as unknown as Incoming<R>;
      const answer = await handle(incoming);
      if (answer === undefined && !reply.sent) return reply.code(204).send();
      return answer;
    },
  });
}
