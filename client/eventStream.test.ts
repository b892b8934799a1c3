import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import type { SpoonEvent } from '../protocol/events.ts';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { EventStream } from './eventStream.ts';
import { platformTiming } from './reconnectingSocket.ts';
import { openPlatformSocket } from './socket.ts';

describe('EventStream', () => {
  let service: ProtocolService;
  let stream: EventStream;
  let heard: (SpoonEvent | 'gap')[];
  let wake: () => void;
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise<void>((done) => (wake = done));
  };
  const hear = (event: SpoonEvent | 'gap'): void => {
    heard.push(event);
    wake();
  };
  const hello = { type: 'hello', instanceId: 'i1' } as const;
  const removed = { type: 'dotfile.removed', path: '.x', clientId: null } as const;

  beforeEach(async () => {
    service = await ProtocolService.start();
    [heard, wake] = [[], () => undefined];
    service.attach('events', (socket) => socket.send(JSON.stringify(hello)));
    const api = new ApiClient({ url: service.url, token: () => 'the-token', clientId: 'window-1', fetch });
    stream = new EventStream({
      api,
      openSocket: openPlatformSocket,
      timing: { ...platformTiming, after: (ms, call) => platformTiming.after(ms < 10_000 ? ms / 100 : ms, call) },
      listener: { onEvent: hear, onGap: () => hear('gap') },
    });
    stream.connect();
    await until(() => heard.length === 2);
  });
  afterEach(async () => {
    stream.close();
    await service[Symbol.asyncDispose]();
  });
  const send = (text: string): void => {
    for (const socket of service.sockets) (socket as WebSocket).send(text);
  };

  it('says when to list, then what changes', async () => {
    send(JSON.stringify(removed));
    await until(() => heard.length === 3);
    assert.deepEqual(heard, ['gap', hello, removed]);
    assert.deepEqual(JSON.parse(String(service.received[0]?.body)), { kind: 'events' });
  });

  it('asks to list again after the service was away', async () => {
    await service.pause();
    await service.resume();
    await until(() => heard.length === 4);
    assert.deepEqual(heard, ['gap', hello, 'gap', hello]);
  });

  it('skips what only a newer service says', async () => {
    send(JSON.stringify({ type: 'moon.rose' }));
    send(JSON.stringify(removed));
    await until(() => heard.length === 3);
    assert.deepEqual(heard.at(-1), removed);
  });

  for (const text of ['{', '[]', '{"type":"dotfile.removed"}', '{"type":"box.changed","box":{}}']) {
    it(`takes ${text} for a gap`, async () => {
      send(text);
      await until(() => heard.length === 3);
      assert.equal(heard.at(-1), 'gap');
    });
  }

  it('is silent after it was closed', async () => {
    stream.close();
    send(JSON.stringify(removed));
    await until(() => true);
    assert.equal(heard.length, 2);
  });
});
