import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A file's text, with `mode` or as a link where that matters. */
export type TestContent = string | { readonly text: string; readonly mode: number } | { readonly link: string };
export type TestTree = Readonly<Record<string, TestContent>>;

const identity = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
};

/**
 * A real git server: `git http-backend` behind Node's https with a certificate authority of its own. Some first parts of a
 * path have their own manners: `/hang/` never answers, `/redirect/` answers with 302 to {@link redirectTo}, `/private/`
 * asks for a password.
 */
export class GitServer implements AsyncDisposable {
  readonly folder: string;
  readonly #server: Server;
  redirectTo = '';
  /** Paths that were asked for, without their queries. */
  readonly requests: string[] = [];

  private constructor(folder: string, server: Server) {
    this.folder = folder;
    this.#server = server;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  static async start(): Promise<GitServer> {
    const folder = mkdtempSync(join(tmpdir(), 'spoon-git-'));
    chmodSync(folder, 0o755);
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'ca.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ...['-subj', '/CN=Spoon test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
        ...['-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new GitServer(folder, server);
  }

  /** PEM of the authority that signs its certificate. */
  get authority(): string {
    return readFileSync(join(this.folder, 'ca.pem'), 'utf8');
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `https://${this.host}/${path}`;
  }

  /** Makes `{name}` exactly this tree, as a new commit of the branch. @returns the commit */
  commit(name: string, tree: TestTree, branch = 'main'): string {
    const work = join(this.folder, 'work', name);
    const bare = join(this.folder, 'repositories', name);
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: work, env: { ...process.env, ...identity }, encoding: 'utf8', stdio: 'pipe' });
    mkdirSync(work, { recursive: true });
    git('init', '--quiet', `--initial-branch=${branch}`);
    git('checkout', '--quiet', '-B', branch);
    git('rm', '-r', '-f', '--quiet', '--ignore-unmatch', '.');
    for (const [path, content] of Object.entries(tree)) writeContent(join(work, path), content);
    git('add', '--all', '--force');
    git('commit', '--quiet', '--allow-empty', '-m', `${Object.keys(tree).length} files`);
    execFileSync('git', ['init', '--quiet', '--bare', `--initial-branch=main`, bare]);
    git('push', '--quiet', '--force', bare, branch);
    return git('rev-parse', 'HEAD').trim();
  }

  tag(name: string, tag: string): void {
    const env = { ...process.env, ...identity };
    execFileSync('git', ['tag', '-a', '-m', tag, tag, 'main'], { cwd: join(this.folder, 'repositories', name), env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    if (this.#server.listening) await once(this.#server, 'close');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    this.requests.push(path);
    if (path.startsWith('/hang/')) return;
    if (path.startsWith('/redirect/')) {
      response.writeHead(302, { location: this.redirectTo }).end();
      return;
    }
    if (path.startsWith('/private/')) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: join(this.folder, 'repositories'),
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' },
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => {});
    request.pipe(child.stdin);
    let head: Buffer | undefined = Buffer.alloc(0);
    child.stdout.on('data', (chunk: Buffer) => {
      if (head === undefined) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const fields = head.toString('latin1', 0, end).split('\r\n').map((line) => line.split(': ', 2) as [string, string]);
      const { Status: status, ...headers } = Object.fromEntries(fields);
      response.writeHead(Number.parseInt(status ?? '200', 10), headers);
      response.write(head.subarray(end + 4));
      head = undefined;
    });
    child.stdout.on('end', () => response.end());
  }
}

function writeContent(path: string, content: TestContent): void {
  mkdirSync(dirname(path), { recursive: true });
  if (typeof content === 'string') writeFileSync(path, content);
  else if ('link' in content) symlinkSync(content.link, path);
  else writeFileSync(path, content.text, { mode: content.mode });
}
