import type { Static, TSchema } from 'typebox';
import type { Route } from '../protocol/route.ts';
import type { RouteName, routes } from '../protocol/routes.ts';

type Table = typeof routes;

/** Routes that are called with a request; the others are opened as WebSockets. */
export type CallName = { [N in RouteName]: Table[N] extends { upgrade: true } ? never : N }[RouteName];
export type SocketName = Exclude<RouteName, CallName>;

type PathParams<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParams<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;
export type Params<N extends RouteName> = Record<PathParams<Table[N]['path']>, string>;

type ParamsPart<N extends RouteName> = [PathParams<Table[N]['path']>] extends [never]
  ? { params?: never }
  : { params: Params<N> };
type QueryPart<R extends Route> = R extends { query: infer Q extends TSchema }
  ? { query: Static<Q> }
  : { query?: never };
type BodyPart<R extends Route> = R extends { bytes: 'request' | 'archive' }
  ? { body: Uint8Array }
  : R extends { body: infer B extends TSchema }
    ? { body: Static<B> }
    : { body?: never };

export interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is read; default 60 s. Routes that start the box may need longer. */
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The longest answer that is read; default 20 MiB. */
  readonly maxBytes?: number;
}

type CallOptions<N extends CallName> = ParamsPart<N> & QueryPart<Table[N]> & BodyPart<Table[N]> & CallLimits;
export type CallArguments<N extends CallName> =
  Record<never, never> extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>];

/** An answer that is bytes: `header` reads a response header by its lower-case name. */
export interface BytesAnswer {
  readonly bytes: Uint8Array;
  header(name: string): string | undefined;
}

/** An answer that is read as it comes. */
export interface DownloadAnswer {
  readonly body: ReadableStream<Uint8Array>;
  /** How many there will be, as the service has said before. */
  readonly bytes: number;
}

export type CallAnswer<N extends CallName> = Table[N] extends { response: infer A extends TSchema }
  ? Static<A>
  : Table[N] extends { bytes: 'response' }
    ? BytesAnswer
    : undefined;
