import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheFolder } from '../scripts/provision/cacheFolder.ts';
import { mustRun } from '../scripts/runCommand.ts';
import { type BenchBox, Output, type Shell, size } from './benchBox.ts';

const version = '3.2.0';
/** The build of node-pty that wetty brings is for macOS and Windows only; Spoon's has the same interface. */
const nodePtyVersion = '1.2.0-beta.15';
const base = '/wetty';
const startMs = 30_000;

/** What of socket.io-client is used here; it comes with wetty. */
interface SocketIo {
  on(event: 'data', hear: (text: string) => void): void;
  on(event: 'logout' | 'disconnect' | 'connect_error', hear: () => void): void;
  emit(event: 'input', text: string): void;
  emit(event: 'resize', size: { cols: number; rows: number }): void;
  emit(event: 'commit', bytes: number): void;
  disconnect(): void;
}

/** wetty, as people install it, in front of `docker exec -it`: the peer that a terminal in a browser is measured by. */
export class Wetty implements AsyncDisposable {
  readonly #folder: string;
  readonly #port: number;
  readonly #child: ChildProcess;

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.#folder = folder;
    this.#port = port;
    this.#child = child;
  }

  static async start(box: BenchBox): Promise<Wetty> {
    const folder = await install();
    const port = await freePort();
    const main = join(folder, 'node_modules/wetty/build/main.js');
    const command = `docker -H unix://${box.dockerSocket} exec -it ${box.containerId} bash -l`;
    const options = [
      '--base',
      base,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--log-level',
      'error',
      '--command',
      command,
    ];
    const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'inherit', 'inherit'] });
    const wetty = new Wetty(folder, port, child);
    try {
      await wetty.#answering();
    } catch (error) {
      await wetty[Symbol.asyncDispose]();
      throw error;
    }
    return wetty;
  }

  /** What a page of wetty does, without the page. */
  shell(): Shell {
    const { io } = createRequire(join(this.#folder, 'node_modules/wetty/'))('socket.io-client') as {
      io(url: string, options: object): SocketIo;
    };
    const socket = io(`http://127.0.0.1:${this.#port}`, { path: `${base}/socket.io`, transports: ['websocket'] });
    const output = new Output();
    const ended = Promise.withResolvers<void>();
    socket.on('data', (text) => {
      output.add(Buffer.from(text));
      socket.emit('commit', text.length);
    });
    for (const event of ['logout', 'disconnect', 'connect_error'] as const) {
      socket.on(event, () => {
        output.end();
        ended.resolve();
      });
    }
    socket.emit('resize', { cols: size.columns, rows: size.rows });
    return {
      type: (text) => socket.emit('input', text),
      until: (text) => output.until(text),
      close: async () => {
        socket.emit('input', '\x15\x04');
        await ended.promise;
        socket.disconnect();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  async #answering(): Promise<void> {
    const until = performance.now() + startMs;
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${this.#port}${base}`).catch(() => undefined);
      if (answer?.ok === true) return;
      if (performance.now() > until || this.#child.exitCode !== null) throw new Error('wetty does not start.');
      await delay(50);
    }
  }
}

/** Made once, outside the repository. Runs no install script. */
async function install(): Promise<string> {
  const folder = join(cacheFolder(), `wetty-${version}`);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    const overrides = { 'node-pty': nodePtyVersion };
    await writeFile(join(made, 'package.json'), JSON.stringify({ dependencies: { wetty: version }, overrides }));
    await mustRun('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], { cwd: made });
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}
