import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { OverlayApply, OverlayEntry, OverlayReport, StartTerminal } from '../../protocol/boxd.ts';
import { frame } from '../../protocol/overlayFrames.ts';

const mainScript = join(dirname(dirname(fileURLToPath(import.meta.url))), 'main.ts');

interface Options {
  /** Runs boxd as this uid and gid; needs root. */
  readonly uid?: number;
  /** Instead of the sources, such as a built bundle. */
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Before boxd starts. */
  readonly prepare?: (home: string) => void;
}

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  json<T = Record<string, unknown>>(): T;
}

/** A real boxd with a home of its own, and the service's end of its connections. */
export class TestBox {
  readonly folder: string;
  readonly home: string;
  readonly process: ChildProcess;
  readonly #socketPath: string;
  #server: Server | undefined;
  readonly #parked: Socket[] = [];
  readonly #all = new Set<Socket>();
  readonly #takers: ((socket: Socket) => void)[] = [];
  errors = '';

  private constructor(folder: string, command: readonly string[], environment: Record<string, string>) {
    this.folder = folder;
    this.home = join(folder, 'home');
    this.#socketPath = join(folder, 'svc.sock');
    const [program = '', ...args] = command;
    this.process = spawn(program, args, { env: environment, stdio: ['ignore', 'inherit', 'pipe'] });
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
  }

  static async start({ uid, command, environment, prepare }: Options = {}): Promise<TestBox> {
    const folder = mkdtempSync(join(tmpdir(), 'spoon-boxd-test-'));
    chmodSync(folder, 0o755);
    const home = join(folder, 'home');
    mkdirSync(home, { mode: 0o700 });
    prepare?.(home);
    if (uid !== undefined) chownSync(home, uid, uid);
    const node = command ?? [process.execPath, mainScript];
    const asUser =
      uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs'];
    const box = new TestBox(folder, [...asUser, ...node], {
      HOME: home,
      USER: 'ada',
      LOGNAME: 'ada',
      SHELL: '/bin/bash',
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      LANG: 'C.UTF-8',
      SPOON: '1',
      SPOON_HOME: home,
      SPOON_SOCKET: join(folder, 'svc.sock'),
      ...environment,
    });
    await box.startService();
    return box;
  }

  /** The service is there: boxd may dial. */
  async startService(): Promise<void> {
    this.#server = createServer((socket) => {
      this.#all.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#all.delete(socket);
        const at = this.#parked.indexOf(socket);
        if (at >= 0) this.#parked.splice(at, 1);
      });
      const taker = this.#takers.shift();
      if (taker === undefined) this.#parked.push(socket);
      else taker(socket);
    });
    this.#server.listen({ path: this.#socketPath, readableAll: true, writableAll: true });
    await once(this.#server, 'listening');
  }

  /** As if the service had been killed: every connection breaks and nobody listens. */
  async killService(): Promise<void> {
    const server = this.#server;
    server?.close();
    for (const socket of this.#all) socket.destroy();
    if (server?.listening) await once(server, 'close');
    this.#parked.length = 0;
    rmSync(this.#socketPath, { force: true });
  }

  get parked(): number {
    return this.#parked.length;
  }

  async takeConnection(): Promise<Socket> {
    const socket = this.#parked.shift();
    if (socket !== undefined) return socket;
    const { promise, resolve } = Promise.withResolvers<Socket>();
    this.#takers.push(resolve);
    return promise;
  }

  async request(method: string, path: string, body?: unknown): Promise<Reply> {
    const socket = await this.takeConnection();
    const request = httpRequest({ method, path, createConnection: () => socket, headers: { connection: 'close' } });
    request.end(body === undefined ? undefined : body instanceof Uint8Array ? body : JSON.stringify(body));
    const [response] = await once(request, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    return { status: response.statusCode, body: bytes, json: () => JSON.parse(bytes.toString('utf8')) };
  }

  /** An open WebSocket. Messages that arrive before the caller listens are kept back by the paused socket. */
  async connect(path: string): Promise<WebSocket> {
    const socket = await this.takeConnection();
    const webSocket = new WebSocket(`ws://box${path}`, { createConnection: () => socket, perMessageDeflate: false });
    await once(webSocket, 'open');
    return webSocket;
  }

  async apply(
    files: readonly TestFile[],
    options: Partial<Omit<OverlayApply, 'entries'>> = {},
  ): Promise<OverlayReport> {
    const head: OverlayApply = {
      scope: 'whole',
      digest: 'd1',
      removed: [],
      ...options,
      entries: files.map((file) => entryOf(file)),
    };
    const reply = await this.request('POST', '/v1/overlay/apply', overlayBody(head, files));
    if (reply.status !== 200) throw new Error(`apply: ${reply.status} ${reply.body}`);
    return reply.json<OverlayReport>();
  }

  async openTerminal(wanted: Partial<StartTerminal> = {}): Promise<Reply> {
    const terminal: StartTerminal = {
      id: 't1',
      shell: '/bin/bash',
      cwd: '',
      columns: 80,
      rows: 24,
      safe: false,
      environment: {},
      ...wanted,
    };
    return this.request('POST', '/v1/terminals', terminal);
  }

  async stop({ beforeRemoval = () => {} }: { beforeRemoval?: () => unknown } = {}): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'exit');
    }
    await this.killService();
    beforeRemoval();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface TestFile {
  readonly path: string;
  readonly kind?: OverlayEntry['kind'];
  readonly mode?: number;
  readonly content?: string;
  /** Absent: the entry goes without bytes. */
  readonly bytes?: Uint8Array | string;
  readonly size?: number;
}

export function entryOf({ path, kind = 'file', mode = 0o644, content, bytes, size }: TestFile): OverlayEntry {
  const data = bytes === undefined ? undefined : Buffer.from(bytes);
  return {
    path,
    kind,
    mode,
    size: size ?? data?.length ?? 0,
    content: content ?? data?.toString('base64').slice(0, 100) ?? '',
  };
}

export function overlayBody(head: OverlayApply, files: readonly TestFile[]): Buffer {
  const frames = [...frame(Buffer.from(JSON.stringify(head)))];
  for (const { path, bytes } of files) {
    if (bytes !== undefined) frames.push(...frame(Buffer.from(path)), ...frame(Buffer.from(bytes)));
  }
  return Buffer.concat(frames);
}
