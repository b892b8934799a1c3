import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A plain git of the tests' own, which nothing of the machine's configuration reaches. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: '/nonexistent',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
    },
  }).trim();
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** git's own smart HTTP server behind TLS, with a certificate authority of its own. */
export class GitServer implements AsyncDisposable {
  readonly folder: string;
  /** PEM of the authority. */
  readonly ca: string;
  readonly requests: string[] = [];
  /** Bytes of packs that were sent. */
  sentBytes = 0;
  /** Keeps the answer to what is asked at a path back until what it returns resolves. */
  hold: (path: string) => Promise<void> | undefined = () => undefined;
  readonly #server: Server;
  readonly #place: { readonly address: string; readonly port: number } | undefined;
  readonly #handlers = new Map<string, Handler>();

  private constructor(folder: string, server: Server, ca: string, place?: { address: string; port: number }) {
    this.#place = place;
    this.folder = folder;
    this.#server = server;
    this.ca = ca;
    server.on('request', async (request, response) => {
      await this.hold(new URL(request.url ?? '/', 'https://x').pathname);
      this.#answer(request, response);
    });
  }

  /** @param place where others reach it, by a way that ends at {@link socketPath}; default: this machine alone */
  static async start(place?: { address: string; port: number }): Promise<GitServer> {
    const folder = mkdtempSync(join(tmpdir(), 'spoon-git-server-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const shape = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=git',
    ];
    const elsewhere = place === undefined ? '' : `,IP:${place.address}`;
    const names = ['-addext', `subjectAltName=IP:127.0.0.1,DNS:localhost${elsewhere}`];
    execFileSync('openssl', ['req', '-x509', ...shape, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const ca = readFileSync(cert, 'utf8');
    const server = createServer({ key: readFileSync(key), cert: ca });
    if (place === undefined) server.listen(0, '127.0.0.1');
    else server.listen(join(folder, 'git.sock'));
    await once(server, 'listening');
    mkdirSync(join(folder, 'repos'));
    return new GitServer(folder, server, ca, place);
  }

  /** Of one that is reached from elsewhere: reachable from every network namespace. */
  get socketPath(): string {
    return join(this.folder, 'git.sock');
  }

  get host(): string {
    if (this.#place !== undefined) return `${this.#place.address}:${this.#place.port}`;
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `https://${this.host}/${path}`;
  }

  /** Whatever is asked below this path gets this answer instead of git's. */
  handle(path: string, handler: Handler): void {
    this.#handlers.set(path, handler);
  }

  /** From now on only who says this gets to what is below the path. */
  protect(path: string, username: string, token: string): void {
    this.#handlers.set(path, (request, response) => {
      const wanted = `Basic ${Buffer.from(`${username}:${token}`).toString('base64')}`;
      if (request.headers.authorization === wanted) this.#backend(request, response);
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end(request.headers.authorization);
    });
  }

  /** A repository with one commit on `main`. @returns its folder for work, with the served one as `origin` */
  repository(name: string, files: Readonly<Record<string, string>> = { 'README.md': `# ${name}\n` }): string {
    const bare = join(this.folder, 'repos', `${name}.git`);
    const work = join(this.folder, 'work', name);
    mkdirSync(dirname(bare), { recursive: true });
    mkdirSync(work, { recursive: true });
    git(dirname(bare), 'init', '--quiet', '--bare', '--initial-branch=main', bare);
    git(work, 'init', '--quiet', '--initial-branch=main', '.');
    git(work, 'remote', 'add', 'origin', bare);
    if (Object.keys(files).length > 0) {
      this.commit(work, files, 'first');
      git(work, 'push', '--quiet', 'origin', 'main');
    }
    return work;
  }

  commit(work: string, files: Readonly<Record<string, string>>, message: string): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), text);
    }
    git(work, 'add', '--all');
    git(work, 'commit', '--quiet', '--message', message);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'https://x');
    this.requests.push(`${request.method} ${url.pathname}`);
    const own = [...this.#handlers].find(([path]) => url.pathname.startsWith(`/${path}`));
    if (own !== undefined) {
      own[1](request, response);
      return;
    }
    this.#backend(request, response);
  }

  #backend(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'https://x');
    const { headers } = request;
    const backend = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: join(this.folder, 'repos'),
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    backend.stdin.on('error', () => {});
    request.pipe(backend.stdin);
    let head: Buffer | undefined = Buffer.alloc(0);
    backend.stdout.on('data', (chunk: Buffer) => {
      if (head === undefined) {
        this.sentBytes += chunk.length;
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const fields = head
        .toString('latin1', 0, end)
        .split('\r\n')
        .map((line) => line.split(/:\s*/, 2));
      const status = Number(fields.find(([name]) => name === 'Status')?.[1]?.slice(0, 3) ?? 200);
      response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'Status')));
      const body = head.subarray(end + 4);
      this.sentBytes += body.length;
      response.write(body);
      head = undefined;
    });
    backend.stdout.on('end', () => response.end());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
