import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { BoxdLink, linkSocketName } from './boxdLink.ts';

const limits = { maxResponseBytes: 64 * 1024, timeoutMs: 1_000 };
const code = (expected: string) => (error: unknown) => error instanceof SpoonError && error.code === expected;

/** What runs in a box: parks connections by dialling, serves each with `onConnection`, and replaces a used one at once. */
class Dialler {
  readonly sockets = new Set<Socket>();
  readonly #path: string;
  readonly #onConnection: (socket: Socket) => void;

  constructor(path: string, onConnection: (socket: Socket) => void) {
    this.#path = path;
    this.#onConnection = onConnection;
  }

  dial(): Promise<Socket> {
    const socket = connect(this.#path);
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.sockets.delete(socket));
    this.#onConnection(socket);
    return once(socket, 'connect').then(() => socket);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

describe('BoxdLink', () => {
  let folder: string;
  let link: BoxdLink;
  let diallers: Dialler[];
  const socketPath = () => join(link.socketDir, linkSocketName);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-link-'));
    link = await BoxdLink.listen({ socketDir: join(folder, 'run', 'ada'), poolWaitMs: 200 });
    diallers = [];
  });
  afterEach(async () => {
    for (const dialler of diallers) dialler.close();
    await link.close();
    await rm(folder, { recursive: true });
  });

  function box(onConnection: (socket: Socket) => void): Dialler {
    const dialler = new Dialler(socketPath(), onConnection);
    diallers.push(dialler);
    return dialler;
  }
  function httpBox(handle: Parameters<typeof createHttpServer>[1]): Dialler {
    const server = createHttpServer({ keepAliveTimeout: 0 }, handle);
    return box((socket) => server.emit('connection', socket));
  }
  /** A box that answers whatever is asked with these bytes. */
  function answering(bytes: string): Dialler {
    return box((socket) => socket.once('data', () => socket.write(bytes)));
  }

  it('listens on a socket that everybody may dial, in a directory that only the service may enter or change', async () => {
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    assert.equal(await mode(socketPath()), 0o666);
    assert.equal(await mode(link.socketDir), 0o755);
    assert.equal(await mode(join(folder, 'run')), 0o700);
  });

  it('refuses a parent directory that other users may enter', async () => {
    await mkdir(join(folder, 'open'), { mode: 0o755 });
    await assert.rejects(BoxdLink.listen({ socketDir: join(folder, 'open', 'ada') }), code('config-invalid'));
  });

  it('takes the place of a service that died without cleaning up', async () => {
    const dead = createServer();
    await rm(socketPath());
    dead.listen(socketPath());
    await once(dead, 'listening');
    const next = await BoxdLink.listen({ socketDir: link.socketDir });
    const dialler = box(() => undefined);
    await dialler.dial();
    await next.whenDialled(1_000);
    await next.close();
    dead.close();
  });

  it('listens in a directory whose path is longer than a socket address may be', async () => {
    const deep = join(folder, 'deep'.repeat(20), 'deep'.repeat(20));
    await mkdir(deep, { recursive: true, mode: 0o700 });
    const next = await BoxdLink.listen({ socketDir: join(deep, 'ada') });
    assert.ok((await stat(join(deep, 'ada', linkSocketName))).isSocket());
    await next.close();
  });

  describe('request', () => {
    it('sends method, path and body, and gives back status and body', async () => {
      const dialler = httpBox((request, response) => {
        request
          .setEncoding('utf8')
          .on('data', (body) => response.writeHead(201).end(`${request.method} ${request.url} ${body}`));
      });
      await dialler.dial();
      const { status, body } = await link.request({
        method: 'POST',
        path: '/v1/x',
        body: Buffer.from('abc'),
        ...limits,
      });
      assert.equal(status, 201);
      assert.equal(body.toString(), 'POST /v1/x abc');
    });

    it('streams a body larger than every buffer on the way', async () => {
      const dialler = httpBox(async (request, response) => {
        const hash = createHash('sha256');
        for await (const chunk of request) hash.update(chunk);
        response.end(hash.digest('hex'));
      });
      await dialler.dial();
      const chunk = Buffer.alloc(64 * 1024, 'x');
      async function* body() {
        for (let count = 0; count < 64; count++) yield chunk;
      }
      const expected = createHash('sha256')
        .update(Buffer.alloc(64 * chunk.length, 'x'))
        .digest('hex');
      const response = await link.request({ method: 'POST', path: '/', body: body(), ...limits, timeoutMs: 10_000 });
      assert.equal(response.body.toString(), expected);
    });

    it('passes on an error of the body itself', async () => {
      await httpBox((request) => request.resume()).dial();
      async function* body() {
        yield Buffer.from('a');
        throw new SpoonError('integrity-failure');
      }
      await assert.rejects(
        link.request({ method: 'POST', path: '/', body: body(), ...limits }),
        code('integrity-failure'),
      );
    });

    it('waits for the next connection when none is parked', async () => {
      const dialler = httpBox((_, response) => response.end('late'));
      const pending = link.request({ method: 'GET', path: '/', ...limits });
      await dialler.dial();
      assert.equal((await pending).body.toString(), 'late');
    });

    it('gives up when nothing dials', async () => {
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits }), code('box-unavailable'));
    });

    it('gives up on a box that never answers, and when the caller does', async () => {
      const dialler = box(() => undefined);
      await dialler.dial();
      await dialler.dial();
      await assert.rejects(
        link.request({ method: 'GET', path: '/', ...limits, timeoutMs: 20 }),
        code('box-unavailable'),
      );
      const signal = AbortSignal.timeout(20);
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits, signal }), { name: 'TimeoutError' });
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits, signal }), { name: 'TimeoutError' });
    });

    it('notices a box that hangs up', async () => {
      await box((socket) => socket.once('data', () => socket.destroy())).dial();
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits }), code('box-unavailable'));
    });

    const badAnswers = {
      'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n',
      'a head of 9 KiB': `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(9 * 1024)}\r\n\r\n`,
      'a body over the limit': `HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n${'x'.repeat(70_000)}`,
      'an unasked-for change of protocol':
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
    };
    for (const [name, bytes] of Object.entries(badAnswers)) {
      it(`refuses ${name}`, async () => {
        await answering(bytes).dial();
        await assert.rejects(link.request({ method: 'GET', path: '/', ...limits }), code('box-misbehaved'));
      });
    }

    it('refuses a body that ends early', async () => {
      await box((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab')),
      ).dial();
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits }), code('box-unavailable'));
    });
  });

  describe('upgrade', () => {
    const accept = (head: string, extra = '') => {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(head)?.[1] ?? '';
      const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${hash}\r\n${extra}\r\n`;
    };

    it('hands over the connection with what came right behind the head', async () => {
      await box((socket) =>
        socket.once('data', (head) => {
          socket.write(`${accept(String(head))}early`);
          socket.once('data', (data) => socket.end(`, then ${data}`));
        }),
      ).dial();
      const duplex = await link.upgrade({ path: '/v1/terminals/t/attach' });
      duplex.write('hello');
      const chunks: Buffer[] = [];
      for await (const chunk of duplex) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks).toString(), 'early, then hello');
    });

    it('says not-found where boxd does', async () => {
      await answering('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n').dial();
      await assert.rejects(link.upgrade({ path: '/' }), code('not-found'));
    });

    it('refuses an extension that it did not offer', async () => {
      await box((socket) =>
        socket.once('data', (head) =>
          socket.write(accept(String(head), 'Sec-WebSocket-Extensions: permessage-deflate\r\n')),
        ),
      ).dial();
      await assert.rejects(link.upgrade({ path: '/' }), code('box-misbehaved'));
    });

    const fakes = {
      'a page with a cookie':
        'HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi',
      'a 101 without proof': 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'a 101 with the proof of another key':
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    };
    for (const [name, bytes] of Object.entries(fakes)) {
      it(`refuses ${name}`, async () => {
        await answering(bytes).dial();
        await assert.rejects(link.upgrade({ path: '/' }), code('box-misbehaved'));
      });
    }

    it('gives up on a head that drips in', async () => {
      await box((socket) => socket.once('data', () => socket.write('HTTP/1.1 101 Swi'))).dial();
      await assert.rejects(link.upgrade({ path: '/', timeoutMs: 30 }), code('box-unavailable'));
    });
  });

  describe('parked connections', () => {
    it('keeps eight and closes the rest', async () => {
      const dialler = box(() => undefined);
      const sockets = await Promise.all(Array.from({ length: 12 }, () => dialler.dial()));
      await Promise.race(sockets.map((socket) => once(socket.resume(), 'close')));
      const probe = await dialler.dial();
      await once(probe.resume(), 'close');
      assert.equal(link.parkedConnections, 8);
    });

    it('lets a box have 64 in all, in use or not', async () => {
      const dialler = box((socket) =>
        socket.once('data', (head) => {
          const key = /sec-websocket-key: (.*)\r\n/i.exec(String(head))?.[1] ?? '';
          const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${hash}\r\n\r\n`,
          );
        }),
      );
      for (let count = 0; count < 64; count++) {
        await dialler.dial();
        await link.upgrade({ path: '/' });
      }
      const refused = await dialler.dial();
      await once(refused.resume(), 'close');
    });

    it('closes one that speaks before it is asked', async () => {
      const dialler = httpBox((_, response) => response.end('honest'));
      const speaker = connect(socketPath());
      speaker.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake');
      await once(speaker.resume(), 'close');
      await dialler.dial();
      assert.equal((await link.request({ method: 'GET', path: '/', ...limits })).body.toString(), 'honest');
    });

    it('forgets one that its box closed', async () => {
      const dialler = httpBox((_, response) => response.end('second'));
      const first = await box(() => undefined).dial();
      await link.whenDialled(1_000);
      first.destroy();
      while (link.parkedConnections > 0) await new Promise(setImmediate);
      await dialler.dial();
      assert.equal((await link.request({ method: 'GET', path: '/', ...limits })).body.toString(), 'second');
    });

    it('ends all of them, and who waits for one, when the link closes', async () => {
      const other = await BoxdLink.listen({ socketDir: join(folder, 'run', 'grace') });
      const waiting = assert.rejects(other.whenDialled(10_000), code('box-unavailable'));
      await other.close();
      await waiting;
      await assert.rejects(other.request({ method: 'GET', path: '/', ...limits }), code('box-unavailable'));
    });
  });

  /** The attacks of a box that may write its socket's directory: each catches a service that dials (the control). */
  describe('against a replaced socket', () => {
    let victim: Server;
    let victimPath: string;
    let reachedVictim: number;

    beforeEach(async () => {
      reachedVictim = 0;
      victimPath = join(folder, 'victim.sock');
      victim = createServer((socket) => {
        reachedVictim++;
        socket.on('error', () => undefined);
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret');
      });
      victim.listen(victimPath);
      await once(victim, 'listening');
    });
    afterEach(() => void victim.close());

    async function naiveRequest(path: string): Promise<string> {
      const socket = connect(path);
      socket.write('GET / HTTP/1.1\r\nhost: box\r\n\r\n');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    }
    /** Even with write access, which a read-only mount denies: the conformance suite tries that side in a real box. */
    async function replaceSocketByLink(): Promise<void> {
      await rename(socketPath(), join(link.socketDir, 'moved.sock'));
      await symlink(victimPath, socketPath());
    }

    it('a naive dialler follows the link to another socket; the link is never dialled by BoxdLink', async () => {
      await httpBox((_, response) => response.end('own box')).dial();
      await link.whenDialled(1_000);
      await replaceSocketByLink();

      assert.match(await naiveRequest(socketPath()), /secret/);
      assert.equal(reachedVictim, 1);

      assert.equal((await link.request({ method: 'GET', path: '/', ...limits })).body.toString(), 'own box');
      await assert.rejects(link.request({ method: 'GET', path: '/', ...limits }), code('box-unavailable'));
      assert.equal(reachedVictim, 1);
    });

    it('a naive dialler believes a server on the same name; BoxdLink never meets it', async () => {
      await rename(socketPath(), join(link.socketDir, 'moved.sock'));
      const fake = createServer((socket) =>
        socket.end('HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\ncontent-length: 4\r\n\r\nfake'),
      );
      fake.listen(socketPath());
      await once(fake, 'listening');

      assert.match(await naiveRequest(socketPath()), /Set-Cookie: a=b/);
      await assert.rejects(link.upgrade({ path: '/' }), code('box-unavailable'));
      fake.close();
    });
  });
});
