import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, constants, type FileHandle, lstat, mkdir, open, rm } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { SpoonError } from '../../protocol/errors.ts';
import { boxdHeadBytes, boxdHeadTimeoutMs, boxdMaxConnections } from '../../protocol/limits.ts';
import { ParkedConnections } from './parkedConnections.ts';

/** The name that boxd dials, in the directory that its box sees read-only at `/run/spoon`. */
export const linkSocketName = 'svc.sock';

const maxParked = 8;
const defaultPoolWaitMs = 5_000;
/** RFC 6455 section 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface LinkRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly contentType?: string;
  readonly maxResponseBytes: number;
  /** For the whole exchange once a connection is there. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface LinkResponse {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * The service's end of one box (`security.md` decisions 1 and 2): it listens, boxd dials and parks connections, each is
 * used for one request or one upgrade (a kept-alive one would save 0.13 ms of 0.4). The service never dials a path that a box could have replaced, and believes
 * nothing that comes back: heads are bounded and timed, bodies are bounded, an upgrade must prove that it is one.
 */
export class BoxdLink {
  readonly socketDir: string;
  readonly #server: Server;
  readonly #directory: FileHandle;
  readonly #parked = new ParkedConnections(maxParked);
  readonly #poolWaitMs: number;
  readonly #open = new Set<Socket>();

  private constructor(socketDir: string, directory: FileHandle, poolWaitMs: number) {
    this.socketDir = socketDir;
    this.#poolWaitMs = poolWaitMs;
    this.#directory = directory;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /**
   * Makes `socketDir` (0755) where it is missing and listens in it; a socket that an earlier service left is replaced.
   * Its parent must be closed to everybody else: that, not the socket's own mode, keeps other users of the host out.
   * @param poolWaitMs how long a request waits for boxd to dial when no connection is parked
   */
  static async listen({
    socketDir,
    poolWaitMs = defaultPoolWaitMs,
  }: {
    socketDir: string;
    poolWaitMs?: number;
  }): Promise<BoxdLink> {
    await mkdir(dirname(socketDir), { recursive: true, mode: 0o700 });
    const parent = await lstat(dirname(socketDir));
    if ((parent.mode & 0o077) !== 0) {
      throw new SpoonError('config-invalid', `Other users may enter ${dirname(socketDir)}; set its mode to 700.`);
    }
    await mkdir(socketDir, { recursive: true, mode: 0o755 });
    await chmod(socketDir, 0o755);
    await rm(join(socketDir, linkSocketName), { force: true });
    const directory = await open(socketDir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    const link = new BoxdLink(socketDir, directory, poolWaitMs);
    try {
      // Through the open directory: a socket's path may have 107 bytes only (unix(7)), and a workdir may be deep.
      const path = `/proc/self/fd/${directory.fd}/${linkSocketName}`;
      link.#server.listen({ path, readableAll: true, writableAll: true });
      await once(link.#server, 'listening');
    } catch (error) {
      await directory.close();
      throw error;
    }
    return link;
  }

  /** Connections that wait to be used. */
  get parkedConnections(): number {
    return this.#parked.count;
  }

  /**
   * Resolves once boxd has dialled.
   * @throws SpoonError `box-unavailable` after `timeoutMs` or when the link is closed; the signal's reason
   */
  whenDialled(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return this.#parked.whenParked(timeoutMs, signal);
  }

  /**
   * One HTTP exchange; the answer's status is for the caller to judge.
   * @throws SpoonError `box-unavailable` (no connection, no answer in time), `box-misbehaved` (no HTTP, or too much of
   * it); the signal's reason; whatever `body` throws
   */
  async request(exchange: LinkRequest): Promise<LinkResponse> {
    const socket = await this.#parked.take(this.#poolWaitMs, exchange.signal);
    const { body } = exchange;
    const headers: Record<string, string | number> = { connection: 'close' };
    if (body !== undefined) headers['content-type'] = exchange.contentType ?? 'application/json';
    if (body instanceof Uint8Array) headers['content-length'] = body.length;
    const request = openRequest(socket, exchange, headers);
    return settle(request, exchange, async (fail, done) => {
      request.once('upgrade', () => fail(misbehaved('It changed the protocol without being asked.')));
      const head = once(request, 'response') as Promise<[IncomingMessage]>;
      sendBody(request, body, done).catch(fail);
      const [response] = await head;
      return { status: response.statusCode ?? 0, body: await readBody(response, exchange.maxResponseBytes) };
    }).finally(() => socket.destroy());
  }

  /**
   * Opens a WebSocket and hands over the raw connection: frames both ways, the first not yet read.
   * @throws SpoonError `not-found` when boxd says 404, else as {@link request}
   */
  async upgrade({ path, timeoutMs }: { path: string; timeoutMs?: number }): Promise<Duplex> {
    const socket = await this.#parked.take(this.#poolWaitMs);
    const key = randomBytes(16).toString('base64');
    const exchange = { method: 'GET', path, timeoutMs: timeoutMs ?? boxdHeadTimeoutMs } as const;
    const request = openRequest(socket, exchange, {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
    });
    try {
      await settle(request, exchange, async (fail) => {
        request.once('response', (response: IncomingMessage) =>
          fail(
            response.statusCode === 404
              ? new SpoonError('not-found')
              : misbehaved(`It answered ${response.statusCode} where a WebSocket was due.`),
          ),
        );
        const upgraded = once(request, 'upgrade') as Promise<[IncomingMessage, Socket, Buffer]>;
        request.end();
        const [response, , early] = await upgraded;
        checkUpgrade(response, key);
        if (early.length > 0) socket.unshift(early);
      });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  /** A connection to boxd on which nothing was said yet. @throws SpoonError `box-unavailable` */
  dial(): Promise<Socket> {
    return this.#parked.take(this.#poolWaitMs);
  }

  /** Ends every connection and stops listening. The box itself is not touched. */
  async close(): Promise<void> {
    this.#parked.close();
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
    await this.#directory.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(socket: Socket): void {
    if (this.#open.size >= boxdMaxConnections) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    this.#parked.add(socket);
  }
}

function misbehaved(detail: string, cause?: unknown): SpoonError {
  return new SpoonError('box-misbehaved', detail, { cause });
}

/** Only what boxd needs goes in: no Authorization, Cookie or Origin of the caller ever reaches a box. */
function openRequest(
  socket: Socket,
  { method, path }: { method: string; path: string },
  headers: Record<string, string | number>,
): ClientRequest {
  return httpRequest({
    method,
    path,
    headers: { host: 'box', ...headers },
    createConnection: () => socket,
    maxHeaderSize: boxdHeadBytes,
  });
}

/**
 * Runs one exchange until it is done, the time is up, the caller gives up, or the connection breaks.
 * @param work gets `fail`, which ends the exchange with an error, and a signal that fires when it is over
 */
async function settle<T>(
  request: ClientRequest,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  work: (fail: (error: unknown) => void, done: AbortSignal) => Promise<T>,
): Promise<T> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const done = new AbortController();
  const timer = setTimeout(
    () => fail(new SpoonError('box-unavailable', `It gave no answer within ${timeoutMs} ms.`)),
    timeoutMs,
  );
  const onAbort = () => fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  // Stays for good: a request may still fail after its answer, and nobody else would listen.
  request.on('error', fail);
  try {
    return await Promise.race([failed, work(fail, done.signal)]);
  } catch (error) {
    throw inWords(error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    done.abort();
  }
}

/** Node's parser errors start with HPE_; what else a connection throws means that the box went away. */
function inWords(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof SpoonError || typeof code !== 'string') return error;
  if (code.startsWith('HPE_')) return misbehaved('What it sent is not HTTP.', error);
  if (/^(ECONNRESET|EPIPE|ERR_STREAM_|ERR_SOCKET_)/.test(code)) {
    return new SpoonError('box-unavailable', 'It closed the connection.', { cause: error });
  }
  return error;
}

async function sendBody(request: ClientRequest, body: LinkRequest['body'], done: AbortSignal): Promise<void> {
  if (body === undefined || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  for await (const chunk of body) {
    if (done.aborted) return;
    if (!request.write(chunk)) await once(request, 'drain', { signal: done });
  }
  request.end();
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw misbehaved(`Its answer is longer than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

/** RFC 6455 section 4.1: what a client must check. Nothing was offered, so nothing may have been chosen. */
function checkUpgrade({ headers }: IncomingMessage, key: string): void {
  const expected = createHash('sha1')
    .update(key + acceptSuffix)
    .digest('base64');
  if (headers['sec-websocket-accept'] !== expected) throw misbehaved('It did not prove that it speaks WebSocket.');
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw misbehaved('It changed to another protocol.');
  if (headers['sec-websocket-extensions'] !== undefined || headers['sec-websocket-protocol'] !== undefined) {
    throw misbehaved('It chose an extension that was not offered.');
  }
}
