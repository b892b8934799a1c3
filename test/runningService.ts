import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DotfilesApi } from '../client/dotfilesApi.ts';
import { type BoxCommandEnd, clientOf, runInBox } from './boxCommand.ts';

const root = join(import.meta.dirname, '..');

export type TestEngine = 'docker' | 'process';

/** The engines that the whole suite runs on. The runner provides Docker; without it the suite fails and does not skip. */
export const testEngines: readonly TestEngine[] = ['docker', 'process'];

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

export interface TestUser {
  readonly username: string;
  readonly token: string;
}

interface Options {
  readonly engine: TestEngine;
  readonly environment?: Readonly<Record<string, string>>;
  /** Modules that the service process loads first. */
  readonly imports?: readonly string[];
}

/**
 * The real service as a process of its own, with a working directory, a key and a home of its own, and spoonctl beside it.
 * `await using` stops it, its boxes included.
 */
export class RunningService {
  readonly workdir: string;
  readonly engine: TestEngine;
  readonly #home: string;
  readonly #environment: Record<string, string>;
  readonly #imports: readonly string[];
  #child: ChildProcess | undefined;
  #log = '';
  url = '';

  private constructor(directory: string, { engine, environment, imports = [] }: Options) {
    this.#imports = imports.flatMap((module) => ['--import', module]);
    this.engine = engine;
    this.workdir = join(directory, 'work');
    this.#home = directory;
    const docker: Record<string, string> =
      engine === 'docker'
        ? {
            DOCKER_HOST: required('SPOON_TEST_DOCKER_HOST'),
            SPOON_AGENT_IMAGE: required('SPOON_TEST_IMAGE'),
            // Unset with an engine of somebody's own, which is in this process's network namespace.
            SPOON_AGENT_NETWORK_NAMESPACE: process.env.SPOON_TEST_DOCKER_NETWORK ?? '',
          }
        : {};
    this.#environment = {
      PATH: process.env.PATH ?? '',
      HOME: directory,
      SPOON_AGENT_WORKDIR: this.workdir,
      SPOON_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      SPOON_ENGINE: engine,
      SPOON_LISTEN: '127.0.0.1:0',
      ...compileCache(),
      ...docker,
      ...environment,
    };
  }

  static async start(options: Options): Promise<RunningService> {
    const directory = await mkdtemp(join(tmpdir(), 'spoon-test-'));
    const service = new RunningService(directory, options);
    await service.launch();
    return service;
  }

  /** Everything that the service has written to its output. */
  get log(): string {
    return this.#log;
  }

  /** Modules that are loaded first change some of its sources; in a bundle they would be others. */
  get #program(): string {
    const bundle = process.env.SPOON_TEST_SERVICE;
    return bundle === undefined || this.#imports.length > 0 ? 'service/main.ts' : bundle;
  }

  get pid(): number {
    assert(this.#child?.pid !== undefined, 'the service runs');
    return this.#child.pid;
  }

  /** Starts the service process again, after `kill`. */
  async launch(): Promise<void> {
    const child = spawn(process.execPath, [...this.#imports, this.#program], {
      cwd: root,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<string>((resolve, reject) => {
      lines.on('line', (line) => {
        this.#log += `${line}\n`;
        if (!line.includes('"event":"ready"')) return;
        const { url } = JSON.parse(line) as { url: string };
        resolve(url);
      });
      child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${this.#log}`)));
    });
    this.url = await ready;
    // The port stays the same over a restart, as it does for people.
    this.#environment.SPOON_LISTEN = new URL(this.url).host;
  }

  /** Ends the service process; its boxes run on. Resolves with its exit code. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  /** A request of the operator, over the admin socket. */
  admin<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: join(this.workdir, 'admin', 'admin.sock'),
          method,
          path,
          headers: { host: 'localhost', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () => {
            if ((answer.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
            else resolve((text === '' ? undefined : JSON.parse(text)) as T);
          });
        },
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async addUser(displayName: string): Promise<TestUser> {
    const { username } = await this.admin<{ username: string }>('POST', '/v1/admin/users', { displayName });
    const { token } = await this.admin<{ token: string }>('POST', `/v1/admin/users/${username}/tokens`, {
      name: 'test',
    });
    return { username, token };
  }

  fetch(user: TestUser, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${user.token}`);
    return fetch(new URL(path, this.url), { ...init, headers });
  }

  /** Runs spoonctl as a person would, and collects what it says. */
  spoonctl(user: TestUser, args: readonly string[], stdin?: Uint8Array | string): Promise<Finished> {
    return this.#spoonctl({ SPOON_URL: this.url, SPOON_TOKEN: user.token }, args, stdin);
  }

  /** As who runs the service, with its settings. @param changes to them */
  asOperator(args: readonly string[], changes: Readonly<Record<string, string>> = {}): Promise<Finished> {
    return this.#spoonctl({ ...this.#environment, ...changes }, args);
  }

  async #spoonctl(
    environment: Readonly<Record<string, string>>,
    args: readonly string[],
    stdin?: Uint8Array | string,
  ): Promise<Finished> {
    const child = spawn(process.execPath, ['cli/spoonctl.mjs', ...args], {
      cwd: root,
      env: { PATH: process.env.PATH ?? '', HOME: this.#home, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined); // a command that does not read its input may close it first
    child.stdin.end(stdin);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const stdoutBytes = Buffer.concat(out);
    return { code, stdoutBytes, stdout: stdoutBytes.toString(), stderr: Buffer.concat(err).toString() };
  }

  /** Runs a command in the user's box as `spoonctl exec` does. */
  commandInBox(user: TestUser, argv: readonly string[]): Promise<BoxCommandEnd> {
    return runInBox({ url: this.url, token: user.token }, argv);
  }

  /** What a command prints in the user's box; fails the test when the command fails. */
  async inBox(user: TestUser, ...argv: string[]): Promise<string> {
    const done = await this.commandInBox(user, argv);
    assert.equal(done.code, 0, `${argv.join(' ')}: ${done.stderr}${done.stdout}`);
    return done.stdout.trimEnd();
  }

  async put(user: TestUser, path: string, content: string | Uint8Array, mode?: number): Promise<void> {
    const api = new DotfilesApi(clientOf({ url: this.url, token: user.token }));
    const known = (await api.list()).find((dotfile) => dotfile.path === path);
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await api.save(path, bytes, { base: known ?? 'create', origin: 'spoonctl', kind: 'file', mode });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#child?.exitCode !== null || this.#child.signalCode !== null) await this.launch();
      const { boxes } = await this.admin<{ boxes: { username: string; state: string }[] }>('GET', '/v1/admin/boxes');
      for (const { username, state } of boxes) {
        if (state !== 'stopped') await this.admin('POST', `/v1/admin/boxes/${username}/stop`);
      }
    } finally {
      await this.kill('SIGTERM');
      await rm(this.#home, { recursive: true, force: true });
    }
  }
}

/** What one process has compiled the next does not compile again: a third of a start. */
function compileCache(): Record<string, string> {
  const folder = process.env.NODE_COMPILE_CACHE;
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

function required(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set: run the tests through npm test, which starts an engine`);
  return value;
}
