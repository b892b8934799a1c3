import { type TSchema, Type } from 'typebox';
import type { Health } from '../protocol/boxes.ts';
import { SpoonError } from '../protocol/errors.ts';
import { clientIdHeader } from '../protocol/events.ts';
import { maxResponseBytes, requestTimeoutMs } from '../protocol/limits.ts';
import { problemMediaType } from '../protocol/problem.ts';
import type { Route } from '../protocol/route.ts';
import { routes } from '../protocol/routes.ts';
import { apiVersion } from '../protocol/version.ts';
import { checkJson, readCapped, refusal } from './answer.ts';
import type {
  BytesAnswer,
  CallAnswer,
  CallArguments,
  CallLimits,
  CallName,
  DownloadAnswer,
  Params,
  SocketName,
} from './callTypes.ts';
import { networkFailure } from './networkFailure.ts';
import { parseServiceUrl } from './serviceUrl.ts';

/** The platform's `fetch`, or another transport of the same form (a unix socket, a proxy). */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ApiClientOptions {
  /** As {@link parseServiceUrl} takes it. */
  readonly url: string;
  /** Asked before every request; undefined sends none (the admin socket needs none). */
  readonly token: () => string | undefined | Promise<string | undefined>;
  /** Names this window or process in the events that its own writes cause. */
  readonly clientId: string;
  readonly fetch: Fetch;
  /** What people know the service as, where its address says nothing; default host and port. */
  readonly label?: string;
  /** Default 20 MiB: nothing that Spoon sends is larger. */
  readonly maxResponseBytes?: number;
}

interface AnyCall extends CallLimits {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

const VersionOnly = Type.Object({ apiVersion: Type.Integer() });

/**
 * The HTTP API of one service, by the names of `protocol/routes.ts`. What it answers is bounded and checked before anybody
 * sees it; redirects are refused, so the token reaches this service only.
 *
 * Every call throws `SpoonError`: the service's own refusals by their codes, else `service-unreachable` (worth a retry) or
 * `service-answer-invalid` (something else answers there). A call cancelled by its own signal throws that signal's reason.
 */
export class ApiClient {
  readonly url: string;
  /** Host and port or its label, for people. */
  readonly host: string;
  readonly clientId: string;
  readonly #options: ApiClientOptions;

  /** @throws SpoonError `service-url-invalid` */
  constructor(options: ApiClientOptions) {
    this.url = parseServiceUrl(options.url);
    this.host = options.label ?? new URL(this.url).host;
    this.clientId = options.clientId;
    this.#options = options;
  }

  async call<N extends CallName>(name: N, ...given: CallArguments<N>): Promise<CallAnswer<N>> {
    const route: Route = routes[name];
    // First, or the compiler works out what the options of all routes have in common, and gives up.
    const [options = {}] = given as readonly [AnyCall?];
    const { response, bytes } = await this.#whole(route, options);
    if (route.response !== undefined) return checkJson(route.response, response, bytes, this.host) as CallAnswer<N>;
    if (route.bytes !== 'response') return undefined as CallAnswer<N>;
    const answer: BytesAnswer = { bytes, header: (header) => response.headers.get(header) ?? undefined };
    return answer as CallAnswer<N>;
  }

  /**
   * An answer that is too large to be held: `body` is read as it comes, and ends with an error when the connection does.
   * @throws as {@link call}
   */
  async download<N extends CallName>(name: N, ...given: CallArguments<N>): Promise<DownloadAnswer> {
    const route: Route = routes[name];
    const [options = {}] = given as readonly [AnyCall?];
    const { body, headers } = await this.#exchange(route, options, async (response) => response);
    if (body === null) throw new SpoonError('service-answer-invalid', `${this.host} sent nothing.`);
    return { body, bytes: Number(headers.get('content-length')) };
  }

  /**
   * Asks the service for its version.
   * @throws SpoonError `service-incompatible`, which says which of the two sides is too old
   */
  async checkCompatible(signal?: AbortSignal): Promise<Health> {
    const { response, bytes } = await this.#whole(routes.health, { signal });
    // The version comes first: what else a newer service says may have a form that this client does not know.
    const { apiVersion: spoken } = checkJson(VersionOnly, response, bytes, this.host);
    const versions = `${this.host} speaks version ${spoken} of the protocol, this client ${apiVersion}.`;
    if (spoken > apiVersion) throw new SpoonError('service-incompatible', `${versions} Update Spoon on this machine.`);
    if (spoken < apiVersion) throw new SpoonError('service-incompatible', `${versions} The service must be updated.`);
    return checkJson<typeof Health & TSchema>(routes.health.response, response, bytes, this.host);
  }

  /** Where a WebSocket route is; its ticket goes into the subprotocols and never in here. */
  socketUrl<N extends SocketName>(name: N, params: Params<N>): string {
    return this.#address(routes[name], { params }).replace(/^http/, 'ws');
  }

  #address(route: Route, { params, query }: AnyCall): string {
    const path = route.path.replaceAll(/:(\w+)/g, (_, key: string) => {
      const value = params?.[key];
      if (value === undefined || value === '') throw new Error(`the route ${route.path} needs ${key}`);
      // "." and ".." stay what they are in encodeURIComponent and would be resolved away by URL.
      if (value === '.' || value === '..') throw new SpoonError('not-found');
      return encodeURIComponent(value);
    });
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(key, String(value));
    return `${this.url}${path}${search.size === 0 ? '' : `?${search}`}`;
  }

  #whole(route: Route, call: AnyCall): Promise<{ response: Response; bytes: Uint8Array<ArrayBuffer> }> {
    const maxBytes = call.maxBytes ?? this.#options.maxResponseBytes ?? maxResponseBytes;
    return this.#exchange(route, call, async (response) => {
      return { response, bytes: await readCapped(response, maxBytes, this.host) };
    });
  }

  async #exchange<T>(route: Route, call: AnyCall, read: (response: Response) => Promise<T>): Promise<T> {
    const timeoutMs = call.timeoutMs ?? requestTimeoutMs;
    const timeLimit = AbortSignal.timeout(timeoutMs);
    const init = await this.#request(route, call, timeLimit);
    try {
      const response = await this.#options.fetch(this.#address(route, call), init);
      if (!response.ok) throw await refusal(response, this.host);
      return await read(response);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof SpoonError) throw error;
      if (timeLimit.aborted) {
        throw new SpoonError('service-unreachable', `${this.host} did not answer within ${timeoutMs / 1000} s.`);
      }
      throw networkFailure(this.host, error);
    }
  }

  async #request(route: Route, call: AnyCall, timeLimit: AbortSignal): Promise<RequestInit> {
    const headers: Record<string, string> = { accept: `application/json, ${problemMediaType}`, ...call.headers };
    headers[clientIdHeader] = this.clientId;
    // A public route gets no token: before the version check nothing is known about who answers there.
    const token = route.scope === 'public' ? undefined : await this.#options.token();
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const init: RequestInit = { method: route.method, headers, redirect: 'manual' };
    init.signal = call.signal === undefined ? timeLimit : AbortSignal.any([call.signal, timeLimit]);
    if (route.bytes === 'request' || route.bytes === 'archive') {
      headers['content-type'] = route.bytes === 'archive' ? 'application/x-tar' : 'application/octet-stream';
      init.body = call.body as Uint8Array<ArrayBuffer>;
    } else if (route.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(call.body);
    }
    return init;
  }
}
