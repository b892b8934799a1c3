import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import { maxFrameBytes, maxHeaderBytes } from '../../protocol/limits.ts';
import type { Answer, BoxdRoute, BoxdUpgrade, Incoming } from './route.ts';

/** A plan names up to 10,000 paths of up to 1 KiB; nothing else comes near. */
const maxBodyBytes = 32 * 1024 * 1024;

interface Options {
  readonly routes: readonly BoxdRoute[];
  readonly upgrades: readonly BoxdUpgrade[];
  /** The service has begun to use a connection. */
  readonly onUsed: (socket: Socket) => void;
  readonly log: (line: string) => void;
}

/**
 * HTTP by hand on connections handed in by `emit('connection')`: it listens nowhere. One request per connection, because
 * a connection that the service has used is replaced by a fresh one anyway.
 */
export function createBoxdServer({ routes, upgrades, onUsed, log }: Options): Server {
  // No timeouts: a parked connection says nothing for hours, and its other end is the service.
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 2 ** 31 - 1,
  });

  server.on('request', (request, response) => {
    onUsed(request.socket);
    answer(request, response, routes, log).catch((error) => {
      log(`a request ended early: ${error}`);
      request.socket.destroy();
    });
  });

  let webSockets: Promise<WebSocketServer> | undefined;
  server.on('upgrade', (request, socket: Duplex, head) => {
    onUsed(request.socket);
    socket.on('error', () => socket.destroy());
    const upgrade = async () => {
      const { route, id } = find(upgrades, 'GET', splitUrl(request).path);
      const talk = route.accept(id);
      webSockets ??= loadWebSockets();
      (await webSockets).handleUpgrade(request, socket, head, (webSocket) => talk(webSocket, socket));
    };
    upgrade().catch((error) => {
      if (!(error instanceof SpoonError)) log(`an upgrade failed: ${describeBug(error)}`);
      const body = problem(error);
      socket.end(
        `HTTP/1.1 ${statusOf(error)} Refused\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
    });
  });
  return server;
}

/** Late, because TLS and the rest that ws pulls in cost 5 MiB that a box without a terminal need not have. */
async function loadWebSockets(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    clientTracking: false,
    autoPong: false,
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly BoxdRoute[],
  log: (line: string) => void,
): Promise<void> {
  response.shouldKeepAlive = false;
  try {
    const { path, query } = splitUrl(request);
    const { route, id } = find(routes, request.method ?? '', path);
    const incoming: Incoming = { id, query, body: request, json: () => readJson(request) };
    send(response, await route.handle(incoming));
  } catch (error) {
    if (!(error instanceof SpoonError)) log(`${request.method} ${request.url} failed: ${describeBug(error)}`);
    response.writeHead(statusOf(error), { 'content-type': 'application/problem+json' });
    response.end(problem(error));
  }
}

function send(response: ServerResponse, content: Answer): void {
  if (content === undefined) {
    response.writeHead(204).end();
  } else if ('json' in content) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content.json));
  } else {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content.bytes);
  }
}

function splitUrl({ url = '/' }: IncomingMessage): { path: string; query: URLSearchParams } {
  const [path = '', query = ''] = url.split('?', 2);
  return { path, query: new URLSearchParams(query) };
}

function find<R extends { readonly path: string; readonly method?: string }>(
  routes: readonly R[],
  method: string,
  path: string,
): { route: R; id: string } {
  const segments = path.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    if ((route.method ?? 'GET') !== method || wanted.length !== segments.length) continue;
    if (wanted.every((segment, index) => segment === ':id' || segment === segments[index])) {
      return { route, id: segments[wanted.indexOf(':id')] ?? '' };
    }
  }
  throw new SpoonError('not-found', `boxd has no ${method} ${path.slice(0, 200)}.`);
}

async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new SpoonError('body-too-large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks, bytes).toString('utf8'));
  } catch (cause) {
    throw new SpoonError('json-invalid', undefined, { cause });
  }
}

function statusOf(error: unknown): number {
  return error instanceof SpoonError ? error.status : 500;
}

/** RFC 9457, as `protocol/problem.ts` has it; that file comes with the schema library. */
function problem(error: unknown): string {
  const known =
    error instanceof SpoonError ? error : new SpoonError('internal-error', 'boxd has met a bug of its own.');
  const { code, title, status, detail, extra } = known;
  return JSON.stringify({ type: `urn:spoon:problem:${code}`, title, status, code, detail, ...extra });
}

function describeBug(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
