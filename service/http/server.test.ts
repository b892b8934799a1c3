import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance } from 'fastify';
import { SpoonError } from '../../protocol/errors.ts';
import { maxFileBytes, maxTransfersPerUser } from '../../protocol/limits.ts';
import type { Route } from '../../protocol/route.ts';
import { routes } from '../../protocol/routes.ts';
import { userScopes } from '../../protocol/scopes.ts';
import { formatToken } from '../../protocol/tokenFormat.ts';
import { LiveRequests } from './liveRequests.ts';
import { createRateLimits } from './rateLimits.ts';
import { addRoute, type Caller } from './route.ts';
import { createHttpApp, type RequestReport } from './server.ts';

const token = formatToken({ kind: 'u', id: 'a'.repeat(12), secret: 'b'.repeat(43) });
const user: Caller = { kind: 'user', userId: 'ada', username: 'ada', tokenId: 'one', scopes: new Set(userScopes) };
const reports: RequestReport[] = [];
const failures: unknown[] = [];
let verified = 0;

async function createApp(): Promise<FastifyInstance> {
  const app = await createHttpApp({
    access: { hosts: new Set(['127.0.0.1', 'localhost']), origins: new Set(), trustedProxies: [] },
    authentication: {
      verify: async (given) => {
        verified++;
        if (given === token) return user;
        throw new SpoonError('unauthenticated');
      },
      operatorSockets: new WeakSet(),
      limits: createRateLimits(),
    },
    live: new LiveRequests(),
    version: '0.0.0',
    report: (report) => reports.push(report),
    failure: (error) => failures.push(error),
  });
  addRoute(app, routes.me, async ({ caller: { kind } }) => {
    assert.ok(kind !== 'worker');
    return { kind, user: null, scopes: [] };
  });
  addRoute(app, routes.listDotfiles, async () => ({ dotfiles: [] }));
  addRoute(app, routes.saveDotfile, async ({ body, query, reply }) => {
    reply.header('x-got', JSON.stringify({ ...query, bytes: body.length }));
    return {} as never;
  });
  addRoute(app, routes.readDotfile, async ({ query, reply }) => {
    if (query.path === 'bug') throw new Error('canary: a bug with a secret in it');
    if (query.path === 'tool') {
      const cause = new Error('canary: a tool says /srv/homes/ada');
      throw new SpoonError('box-start-failed', 'Try again.', { cause });
    }
    return reply.type('application/octet-stream').send(Buffer.from(JSON.stringify(query)));
  });
  addRoute(app, routes.removeDotfile, async ({ query }) => ({
    removed: query.recursive ? 2 : 1,
    dotfiles: [],
    applied: { state: 'applied' as const },
  }));
  addRoute(app, routes.runCommand, async ({ body }) => ({
    id: body.argv.join(' '),
    ticket: '',
    expiresInMs: 0,
    notes: [],
  }));
  return app;
}

describe('the HTTP side', () => {
  let app: FastifyInstance;
  let port: number;
  before(async () => {
    app = await createApp();
    await app.listen({ host: '127.0.0.1', port: 0 });
    port = (app.server.address() as AddressInfo).port;
  });
  after(() => app.close());

  const call = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
    });
  const postJson = (body: string | Buffer, type = 'application/json') =>
    call('/v1/commands', { method: 'POST', body, headers: { 'content-type': type } });

  const head = `Host: localhost\r\nAuthorization: Bearer ${token}\r\n`;
  /** Sends bytes as they are and returns everything that comes back. */
  async function raw(bytes: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.write(bytes);
    return text(socket);
  }

  it('works on eight files of a user at once, however many connections send slowly, and on other requests beside', async () => {
    const verifiedBefore = verified;
    const slow = Array.from({ length: maxTransfersPerUser }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.write(`PUT /v1/dotfiles/content?path=a HTTP/1.1\r\n${head}Content-Length: 9\r\n\r\nhalf`);
      return socket;
    });
    try {
      while (verified < verifiedBefore + slow.length) await new Promise((resolve) => setImmediate(resolve));
      let answered = false;
      const waiting = call('/v1/dotfiles').then((response) => {
        answered = true;
        return response.json();
      });
      const { status } = await call('/v1/me');
      assert.equal(status, 200);
      assert.equal(answered, false);
      slow[0]?.destroy();
      assert.deepEqual(await waiting, { dotfiles: [] });
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });

  async function expectProblem(response: Response, status: number, code: string): Promise<Record<string, unknown>> {
    const problem = (await response.json()) as Record<string, unknown>;
    assert.equal(`${response.status} ${problem.code}`, `${status} ${code}`);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    assert.equal(problem.status, status);
    assert.match(String(problem.instance), /^req_[0-9a-f]{16}$/);
    return problem;
  }

  it('answers with headers that keep it out of caches and pages', async () => {
    const { headers } = await call('/v1/me');
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('access-control-allow-origin'), null);
  });

  const bodies: [string, string | Buffer, number, string][] = [
    ['broken JSON', '{"argv":', 400, 'json-invalid'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'invalid-encoding'],
    ['a hundred thousand brackets', '['.repeat(100_000), 400, 'json-invalid'],
    ['a hundred thousand nested lists', '['.repeat(100_000) + ']'.repeat(100_000), 422, 'request-invalid'],
    ['a prototype', '{"argv":["x"],"__proto__":{"admin":true}}', 400, 'json-invalid'],
    ['a constructor', '{"argv":["x"],"constructor":{"prototype":{"admin":true}}}', 400, 'json-invalid'],
    ['a field that is given twice', '{"argv":["x"],"argv":["y"]}', 400, 'json-invalid'],
    ['a number for a text', '{"argv":[1]}', 422, 'request-invalid'],
    ['a text for a list', '{"argv":"x"}', 422, 'request-invalid'],
    ['1e400', '{"argv":[1e400]}', 422, 'request-invalid'],
    ['NaN', '{"argv":[NaN]}', 400, 'json-invalid'],
    ['an empty list', '{"argv":[]}', 422, 'request-invalid'],
    ['an unknown field', '{"argv":["x"],"shell":true}', 422, 'unknown-field'],
    ['null', 'null', 422, 'request-invalid'],
    ['nothing', '', 422, 'request-invalid'],
    ['more than a megabyte', `{"argv":["${'x'.repeat(2 ** 20)}"]}`, 413, 'body-too-large'],
  ];
  for (const [name, body, status, code] of bodies) {
    it(`refuses ${name} as JSON: ${status} ${code}`, async () => {
      const problem = await expectProblem(await postJson(body), status, code);
      assert.ok(!('admin' in {}), 'no prototype was touched');
      if (status === 422) assert.ok(Array.isArray(problem.errors) && problem.errors.length > 0);
    });
  }

  it('points at what is wrong', async () => {
    const wrong = await expectProblem(await postJson('{"argv":["x",2]}'), 422, 'request-invalid');
    assert.deepEqual(wrong.errors, [{ pointer: '/argv/1', detail: 'must be string' }]);
    const unknown = await expectProblem(await postJson('{"argv":["x"],"a/b":1}'), 422, 'unknown-field');
    assert.deepEqual(unknown.errors, [{ pointer: '/a~1b', detail: 'unknown field' }]);
  });

  it('survives fifty thousand unknown fields', async () => {
    const fields = Array.from({ length: 50_000 }, (_, index) => `"k${index}":1`).join(',');
    const problem = await expectProblem(await postJson(`{"argv":["x"],${fields}}`), 422, 'unknown-field');
    assert.ok((problem.errors as unknown[]).length < 100);
  });

  it('refuses other media types and compressed bodies', async () => {
    await expectProblem(await postJson('{}', 'text/plain'), 415, 'media-type-unsupported');
    await expectProblem(await postJson('{}', 'application/octet-stream'), 415, 'media-type-unsupported');
    for (const encoding of ['gzip', 'br', 'zstd', 'identity, gzip']) {
      const headers = { 'content-encoding': encoding, 'content-type': 'application/octet-stream' };
      const response = await call('/v1/dotfiles/content?path=a', { method: 'PUT', body: 'x', headers });
      await expectProblem(response, 415, 'content-encoding-unsupported');
    }
    const headers = { 'content-type': 'application/json' };
    const response = await call('/v1/dotfiles/content?path=a', { method: 'PUT', body: '{}', headers });
    await expectProblem(response, 415, 'media-type-unsupported');
  });

  it('takes the bytes of a file as they are, also none', async () => {
    for (const bytes of [0, 1, maxFileBytes]) {
      const headers = { 'content-type': 'application/octet-stream' };
      const response = await call('/v1/dotfiles/content?path=a', { method: 'PUT', body: Buffer.alloc(bytes), headers });
      assert.equal(response.headers.get('x-got'), `{"path":"a","bytes":${bytes}}`);
    }
  });

  it('refuses a file by its announced size before a byte of it is sent', async () => {
    const answer = await raw(
      `PUT /v1/dotfiles/content?path=a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/octet-stream\r\nContent-Length: ${maxFileBytes + 1}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /"code":"body-too-large"/);
  });

  it('refuses a file without a size at the byte that is too many', async () => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write(
      `PUT /v1/dotfiles/content?path=a HTTP/1.1\r\n${head}Content-Type: application/octet-stream\r\n` +
        'Transfer-Encoding: chunked\r\n\r\n',
    );
    const closed = new Promise((resolve) => socket.once('close', resolve));
    // Whoever still sends when the connection is closed may lose the answer to a reset (RFC 9112 section 9.6).
    socket.on('error', () => undefined);
    const mebibyte = 2 ** 20;
    let sentBytes = 0;
    while (!socket.destroyed && sentBytes < 4 * maxFileBytes) {
      sentBytes += mebibyte;
      const isAccepted = socket.write(`${mebibyte.toString(16)}\r\n${'x'.repeat(mebibyte)}\r\n`);
      if (!isAccepted) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    }
    await closed;
    assert.match(answer, /^(HTTP\/1\.1 413 |$)/);
    assert.ok(sentBytes > maxFileBytes && sentBytes < 3 * maxFileBytes, `${sentBytes} bytes`);
  });

  it('reads only plain whole numbers and booleans out of a query', async () => {
    const good = await call('/v1/dotfiles/content?path=a&version=7');
    assert.deepEqual(await good.json(), { path: 'a', version: 7 });
    for (const version of ['0', '-1', '1.5', '0x10', '1e3', '%207', '', '9007199254740993', 'seven']) {
      const response = await call(`/v1/dotfiles/content?path=a&version=${version}`);
      await expectProblem(response, 422, 'request-invalid');
    }
    for (const value of ['1', 'yes', 'TRUE', '']) {
      const response = await call(`/v1/dotfiles?path=a&recursive=${value}`, { method: 'DELETE' });
      await expectProblem(response, 422, 'request-invalid');
    }
    await expectProblem(await call('/v1/dotfiles/content?path=a&path=b'), 422, 'request-invalid');
    await expectProblem(await call('/v1/dotfiles/content?path=a&x=1'), 422, 'unknown-field');
    await expectProblem(await call('/v1/me?x=1'), 422, 'unknown-field');
    await expectProblem(await call('/v1/dotfiles/content?path=%c0%ae'), 400, 'invalid-encoding');
    await expectProblem(await call('/v1/%ff'), 400, 'invalid-encoding');
  });

  const allowed: [string, string, string][] = [
    ['POST', '/v1/me', 'GET'],
    ['HEAD', '/v1/me', 'GET'],
    ['OPTIONS', '/v1/me', 'GET'],
    ['PATCH', '/v1/dotfiles/content', 'GET, PUT'],
    ['PUT', '/v1/terminals/x', 'DELETE'],
  ];
  for (const [method, path, allow] of allowed) {
    it(`answers ${method} ${path} with 405 and Allow: ${allow}`, async () => {
      const response = await call(path, { method });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), allow);
    });
  }

  it('knows no other paths', async () => {
    for (const path of ['/', '/v1', '/v1/me/', '/V1/me', '/v1//me', '/administration', '/v1/terminals//attach']) {
      await expectProblem(await call(path), 404, 'not-found');
    }
  });

  const wire: [string, string, RegExp][] = [
    ['TRACE', `TRACE /v1/me HTTP/1.1\r\n${head}Connection: close\r\n\r\n`, /^HTTP\/1\.1 405 .*allow: GET/is],
    ['CONNECT', 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n', /^HTTP\/1\.1 405 /],
    ['an unknown method', `BREW /v1/me HTTP/1.1\r\n${head}\r\n`, /^HTTP\/1\.1 405 .*allow: /is],
    ['no host', 'GET /v1/me HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 .*"code":"http-invalid"/s],
    [
      'a foreign host',
      'GET /v1/me HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 421 .*host-not-allowed/s,
    ],
    ['17 KiB of headers', `GET /v1/me HTTP/1.1\r\n${head}X: ${'x'.repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      '101 headers',
      `GET /v1/me HTTP/1.1\r\n${head}Connection: close\r\n${'A: 1\r\n'.repeat(99)}\r\n`,
      /^HTTP\/1\.1 431 .*headers-too-large/s,
    ],
    [
      'an address of 9 KiB',
      `GET /v1/me?x=${'x'.repeat(9_000)} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`,
      /^HTTP\/1\.1 414 .*url-too-long/s,
    ],
    [
      'two lengths',
      `POST /v1/commands HTTP/1.1\r\n${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length and chunks',
      `POST /v1/commands HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length that is too short',
      `POST /v1/commands HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}garbage`,
      /^HTTP\/1\.1 4(22|00) .*connection: close/is,
    ],
    ['no HTTP at all', '\u0016\u0003\u0001 hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'an upgrade to something else',
      `GET /v1/me HTTP/1.1\r\n${head}Connection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n`,
      /^HTTP\/1\.1 200 /,
    ],
  ];
  for (const [name, bytes, answer] of wire) {
    it(`answers ${name} in its place`, async () => assert.match(await raw(bytes), answer));
  }

  it('ends a request that announces more than it sends', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end(`POST /v1/commands HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{}`);
    assert.match(await text(socket), /^HTTP\/1\.1 400 .*connection: close/is);
  });

  it('answers all that is wrong with a credential with one text', async () => {
    const before = verified;
    const bad = [
      `Basic ${token}`,
      'Bearer',
      'Bearer ',
      `Bearer ${'x'.repeat(10_000)}`,
      `Bearer ${token.slice(0, -1)}x`,
      token,
    ];
    const answers = new Set<string>();
    for (const authorization of [undefined, ...bad]) {
      const headers = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
      const answer = await raw(`GET /v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 401 .*www-authenticate: Bearer/is);
      answers.add((answer.split('\r\n\r\n')[1] ?? '').replace(/req_\w+/, ''));
    }
    const double = await raw(
      `GET /v1/me HTTP/1.1\r\n${head}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    );
    answers.add((double.split('\r\n\r\n')[1] ?? '').replace(/req_\w+/, ''));
    assert.equal(answers.size, 1);
    assert.equal(verified, before, 'no garbage reached the store');
  });

  it('says nothing of a bug to the client and everything to the log', async () => {
    const response = await call('/v1/dotfiles/content?path=bug');
    const problem = await expectProblem(response, 500, 'internal-error');
    assert.ok(!JSON.stringify(problem).includes('canary'));
    assert.match(String(failures.at(-1)), /canary/);
  });

  it('keeps what caused a failure of the machine for the log', async () => {
    const problem = await expectProblem(await call('/v1/dotfiles/content?path=tool'), 503, 'box-start-failed');
    assert.ok(!JSON.stringify(problem).includes('canary'));
    const [failure] = failures.slice(-1);
    assert.ok(failure instanceof SpoonError && /canary/.test(String(failure.cause)));
  });

  it('reports routes by their pattern, without anything that the client wrote', async () => {
    await call('/v1/dotfiles/content?path=.ssh/canary');
    await call('/v1/terminals/canary', { method: 'PUT' });
    assert.ok(reports.some(({ route, userId }) => route === '/v1/dotfiles/content' && userId === 'ada'));
    assert.ok(!JSON.stringify(reports).includes('canary'));
  });

  it('describes itself', async () => {
    const document = (await (await fetch(`http://127.0.0.1:${port}/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security: unknown[] }>>;
    };
    assert.deepEqual(document.paths['/v1/me']?.get?.security, [{ token: [] }]);
  });

  it('does not start with a route that names no scope', () => {
    assert.throws(() => app.get('/late', async () => 'x'));
  });
});

describe('the table of routes', () => {
  it('has no route without a scope, checked when it is registered', async () => {
    const app = await createApp();
    assert.throws(() => app.get('/bare', async () => 'x'), /Route without a scope/);
    const broken = { ...routes.health, path: '/other', scope: undefined } as unknown as Route;
    assert.throws(() => addRoute(app, broken, async () => undefined as never), /Route without a scope/);
    await app.close();
  });
});
