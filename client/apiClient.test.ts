import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { health, ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { DotfilesApi } from './dotfilesApi.ts';

const dotfile = {
  id: 'f1',
  path: '.bashrc',
  kind: 'file',
  mode: 0o644,
  size: 3,
  version: 2,
  etag: '"v2-0011223344556677"',
  modifiedMs: 2,
  createdMs: 1,
};

describe('ApiClient', () => {
  let service: ProtocolService;
  let api: ApiClient;
  const clientFor = (url: string, maxResponseBytes?: number): ApiClient =>
    new ApiClient({
      url,
      token: () => 'the-token',
      clientId: 'window-1',
      fetch,
      ...(maxResponseBytes === undefined ? {} : { maxResponseBytes }),
    });
  const byHand = (write: (response: ServerResponse) => void): void =>
    service.answer('listDotfiles', (_, response) => write(response));

  before(async () => {
    service = await ProtocolService.start();
    api = clientFor(service.url);
  });
  after(() => service[Symbol.asyncDispose]());
  beforeEach(() => {
    service.received.length = 0;
  });

  it('sends token and client id, and returns what the schema allows', async () => {
    service.answer('listDotfiles', () => ({ dotfiles: [dotfile] }));
    assert.deepEqual(await api.call('listDotfiles'), { dotfiles: [dotfile] });
    assert.equal(service.received[0]?.headers.authorization, 'Bearer the-token');
    assert.equal(service.received[0]?.headers['spoon-client'], 'window-1');
  });

  it('shows the token to nobody before it knows who answers', async () => {
    assert.equal((await api.checkCompatible()).instanceId, health.instanceId);
    assert.equal(service.received[0]?.headers.authorization, undefined);
  });

  it('says which side is too old', async (t) => {
    t.after(() => service.answer('health', () => health));
    service.answer('health', () => ({ apiVersion: 2, other: 'form' }));
    await assert.rejects(api.checkCompatible(), {
      code: 'service-incompatible',
      message: /Update Spoon on this machine/,
    });
    service.answer('health', () => ({ ...health, apiVersion: 0 }));
    await assert.rejects(api.checkCompatible(), {
      code: 'service-incompatible',
      message: /The service must be updated/,
    });
  });

  it('fills in path parameters as one segment each', async () => {
    service.answer('revokeToken', () => undefined);
    await api.call('revokeToken', { params: { id: 'a/b?c#d%' } });
    assert.deepEqual(service.received[0]?.params, { id: 'a/b?c#d%' });
    await assert.rejects(api.call('revokeToken', { params: { id: '..' } }), { code: 'not-found' });
    assert.equal(service.received.length, 1);
  });

  it('turns a problem document back into the error', async () => {
    service.answer('listDotfiles', () => {
      throw new SpoonError('token-expired', 'It ended yesterday.', { extra: { days: 1 } });
    });
    await assert.rejects(api.call('listDotfiles'), {
      code: 'token-expired',
      status: 401,
      detail: 'It ended yesterday.',
      extra: { days: 1 },
    });
  });

  const nonsense: [string, (response: ServerResponse) => void][] = [
    ['HTML', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome</h1>')],
    [
      'HTML that calls itself JSON',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('<h1>'),
    ],
    [
      'JSON of another form',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"dotfiles":[{}]}'),
    ],
    [
      'half of a JSON document',
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"dotfiles":['),
    ],
    [
      'JSON that is not UTF-8',
      (response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.from([0x22, 0xff, 0x22])),
    ],
    ['nothing', (response) => response.writeHead(204).end()],
    ['a login page', (response) => response.writeHead(401, { 'content-type': 'text/html' }).end('<form>')],
    ['a redirect', (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/elsewhere' }).end()],
    [
      'a problem of unknown code',
      (response) =>
        response
          .writeHead(418, { 'content-type': 'application/problem+json' })
          .end(JSON.stringify({ type: 'x', title: 'Teapot', status: 418, code: 'teapot' })),
    ],
    [
      'a problem of 1 MiB',
      (response) =>
        response
          .writeHead(400, { 'content-type': 'application/problem+json' })
          .end(JSON.stringify({ detail: 'x'.repeat(2 ** 20) })),
    ],
  ];
  for (const [name, write] of nonsense) {
    it(`calls ${name} an invalid answer`, async () => {
      byHand(write);
      await assert.rejects(api.call('listDotfiles'), { code: 'service-answer-invalid' });
    });
  }

  it('never follows a redirect, so the token stays here', async (t) => {
    const other = await ProtocolService.start();
    t.after(() => other[Symbol.asyncDispose]());
    byHand((response) => response.writeHead(308, { location: `${other.url}/v1/dotfiles` }).end());
    await assert.rejects(api.call('listDotfiles'), { code: 'service-answer-invalid', message: /redirects/ });
    assert.equal(other.received.length, 0);
  });

  it('reads no more than its limit, announced or not', async () => {
    const small = clientFor(service.url, 1000);
    byHand((response) => response.writeHead(200, { 'content-type': 'application/json' }).end('x'.repeat(1001)));
    await assert.rejects(small.call('listDotfiles'), {
      code: 'service-answer-invalid',
      message: /more than 1000 bytes/,
    });
    let written = 0;
    byHand((response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20))) written += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await assert.rejects(small.call('listDotfiles'), {
      code: 'service-answer-invalid',
      message: /more than 1000 bytes/,
    });
    assert.ok(written < 16 * 2 ** 20, `${written} bytes were taken`);
  });

  it('names the host and the reason when nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    await assert.rejects(clientFor(`http://127.0.0.1:${port}`).call('me'), {
      code: 'service-unreachable',
      message: new RegExp(`127\\.0\\.0\\.1:${port} refused the connection`),
    });
  });

  it('calls a proxy without its service unreachable', async () => {
    byHand((response) => response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>'));
    await assert.rejects(api.call('listDotfiles'), { code: 'service-unreachable', message: /503/ });
  });

  it('gives up after its time limit', async () => {
    service.answer('listDotfiles', () => new Promise(() => undefined));
    await assert.rejects(api.call('listDotfiles', { timeoutMs: 50 }), {
      code: 'service-unreachable',
      message: /0\.05 s/,
    });
  });

  it('ends a call with the reason of its own signal', async () => {
    service.answer('listDotfiles', () => new Promise(() => undefined));
    const reason = new Error('closed by the person');
    const abort = new AbortController();
    const call = api.call('listDotfiles', { signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(call, reason);
  });

  it('refuses plain HTTP to another machine', () => {
    assert.throws(() => clientFor('http://spoon.example.org'), { code: 'service-url-invalid' });
  });

  it('keeps a base path and makes socket addresses of it', () => {
    const based = clientFor('https://example.org/spoon/');
    assert.equal(based.socketUrl('attachTerminal', { id: 'x y' }), 'wss://example.org/spoon/v1/terminals/x%20y/attach');
  });

  describe('DotfilesApi', () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

    it('reads bytes with what the headers say of them', async () => {
      service.answer('readDotfile', ({ query }, response) => {
        const headers = {
          etag: '"v2-00"',
          'spoon-kind': 'file',
          'spoon-mode': '755',
          'spoon-version': '2',
          'spoon-modified-ms': '99',
        };
        assert.equal(query.get('path'), 'ünïcode #?%.txt');
        response.writeHead(200, { 'content-type': 'application/octet-stream', ...headers }).end(everyByte);
      });
      const content = await new DotfilesApi(api).read('ünïcode #?%.txt');
      assert.deepEqual(content, {
        bytes: everyByte,
        etag: '"v2-00"',
        kind: 'file',
        mode: 0o755,
        version: 2,
        modifiedMs: 99,
      });
    });

    it('does not take a file without a version', async () => {
      service.answer('readDotfile', (_, response) => response.writeHead(200).end('x'));
      await assert.rejects(new DotfilesApi(api).read('.x'), { code: 'service-answer-invalid' });
    });

    it('sends what a save is based on', async () => {
      service.answer('saveDotfile', () => ({ dotfile, applied: { state: 'applied' }, warnings: [] }));
      const dotfiles = new DotfilesApi(api);
      await dotfiles.save('.bashrc', everyByte, { base: { etag: '"v1-00"' }, origin: 'editor', mode: 0o600 });
      await dotfiles.save('.bashrc', everyByte, { base: 'create', origin: 'editor' });
      const [first, second] = service.received;
      assert.deepEqual(first?.body, Buffer.from(everyByte));
      assert.equal(first?.headers['if-match'], '"v1-00"');
      assert.equal(first?.query.get('mode'), '600');
      assert.equal(second?.headers['if-match'], undefined);
      assert.equal(second?.headers['if-none-match'], '*');
      assert.equal(second?.query.get('mode'), null);
    });
  });
});
