import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { pipeCreditBytes, viewerCreditBytes } from '../protocol/limits.ts';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { type CommandPlace, CommandSession } from './commandSession.ts';
import { openPlatformSocket } from './socket.ts';

describe('CommandSession', () => {
  let service: ProtocolService;
  let place: CommandPlace;
  let attached: PromiseWithResolvers<WebSocket>;
  let texts: Record<string, unknown>[];
  let stdin: Buffer[];
  const stdinBytes = (): number => stdin.reduce((sum, part) => sum + part.length, 0);
  const ignore = { onOutput: () => undefined };

  beforeEach(async () => {
    service = await ProtocolService.start();
    const api = new ApiClient({ url: service.url, token: () => 'the-token', clientId: 'cli', fetch });
    place = { api, openSocket: openPlatformSocket };
    attached = Promise.withResolvers();
    [texts, stdin] = [[], []];
    service.answer('runCommand', () => ({ id: 'c1', ticket: service.issueTicket(), expiresInMs: 30_000, notes: [] }));
    service.attach('attachCommand', (socket) => {
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) stdin.push(data.subarray(1));
        else texts.push(JSON.parse(data.toString()));
      });
      attached.resolve(socket);
    });
  });
  afterEach(() => service[Symbol.asyncDispose]());

  it('passes both channels and the exit code', async () => {
    const chunks: [string, string, number][] = [];
    const session = await CommandSession.start(
      place,
      { argv: ['make'], cwd: 'Code/api/main' },
      {
        onOutput: (channel, bytes, end) => chunks.push([channel, Buffer.from(bytes).toString(), end]),
      },
    );
    const socket = await attached.promise;
    await once(socket, 'message');
    socket.send(Buffer.from('\u0001out'));
    socket.send(Buffer.from('\u0002error'));
    socket.send(JSON.stringify({ type: 'exit', code: 130, signal: 'SIGINT' }));
    assert.deepEqual(await session.exit, { code: 130, signal: 'SIGINT' });
    assert.deepEqual(chunks, [
      ['stdout', 'out', 3],
      ['stderr', 'error', 8],
    ]);
    assert.deepEqual(texts[0], { type: 'start', credit: pipeCreditBytes });
    assert.deepEqual(JSON.parse(String(service.received[0]?.body)), { argv: ['make'], cwd: 'Code/api/main' });
  });

  it('sends no more input than was granted, and then the rest and its end', async () => {
    const session = await CommandSession.start(place, { argv: ['cat'] }, ignore);
    const socket = await attached.promise;
    const whole = Buffer.alloc(3 * viewerCreditBytes + 17, 'abcdefg');
    let isWritten = false;
    const writing = session.writeStdin(whole).then(() => (isWritten = true));
    session.endStdin();
    while (stdinBytes() < viewerCreditBytes) await once(socket, 'message');
    socket.ping();
    await once(socket, 'pong');
    assert.equal(stdinBytes(), viewerCreditBytes);
    assert.equal(isWritten, false);
    while (!texts.some(({ type }) => type === 'stdinEnd')) {
      socket.send(JSON.stringify({ type: 'stdinAck', offset: stdinBytes() }));
      await once(socket, 'message');
    }
    await writing;
    assert.deepEqual(Buffer.concat(stdin), whole);
    socket.send(JSON.stringify({ type: 'exit', code: 0, signal: null }));
    assert.equal((await session.exit).code, 0);
    await session.writeStdin(Buffer.from('too late'));
  });

  it('acknowledges output in steps of a quarter of the credit', async () => {
    let lastOffset = 0;
    const session = await CommandSession.start(
      place,
      { argv: ['yes'] },
      { onOutput: (_, __, end) => (lastOffset = end) },
    );
    const socket = await attached.promise;
    const frame = Buffer.alloc(65_536, 1);
    for (let sent = 0; sent <= pipeCreditBytes / 2; sent += frame.length - 1) {
      socket.send(frame);
    }
    socket.ping();
    await once(socket, 'pong');
    session.acknowledge(1);
    session.acknowledge(pipeCreditBytes / 4);
    session.acknowledge(pipeCreditBytes / 4 + 1);
    session.acknowledge(lastOffset);
    session.signal('SIGINT');
    while (!texts.some(({ type }) => type === 'signal')) await once(socket, 'message');
    assert.deepEqual(
      texts.filter(({ type }) => type === 'ack').map(({ offset }) => offset),
      [pipeCreditBytes / 4, lastOffset],
    );
  });

  it('says that the command ended when the connection is lost', async () => {
    const session = await CommandSession.start(place, { argv: ['cat'] }, ignore);
    const socket = await attached.promise;
    const writing = session.writeStdin(Buffer.alloc(2 * viewerCreditBytes));
    socket.terminate();
    await assert.rejects(session.exit, { code: 'connection-lost' });
    await writing;
  });

  it('says that the box was stopped', async () => {
    const session = await CommandSession.start(place, { argv: ['cat'] }, ignore);
    (await attached.promise).close(4010);
    await assert.rejects(session.exit, { code: 'box-stopped' });
  });

  it('ends when cancelled', async () => {
    const abort = new AbortController();
    const session = await CommandSession.start(place, { argv: ['cat'] }, ignore, abort.signal);
    const socket = await attached.promise;
    abort.abort(new Error('enough'));
    await assert.rejects(session.exit, { message: 'enough' });
    if (socket.readyState !== socket.CLOSED) await once(socket, 'close');
  });

  for (const garbage of [
    '[]',
    '{"type":"exit"}',
    '{"type":"stdinAck","offset":-1}',
    Buffer.from([7, 1]),
    Buffer.alloc(0),
  ]) {
    it(`ends at ${JSON.stringify(garbage)}`, async () => {
      const session = await CommandSession.start(place, { argv: ['cat'] }, ignore);
      (await attached.promise).send(garbage);
      await assert.rejects(session.exit, (error: { code?: string }) =>
        ['box-misbehaved', 'request-invalid'].includes(error.code ?? ''),
      );
    });
  }
});
