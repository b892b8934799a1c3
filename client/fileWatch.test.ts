import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { FileChange } from '../protocol/homeFiles.ts';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { FileWatch } from './fileWatch.ts';
import { platformTiming } from './reconnectingSocket.ts';
import { openPlatformSocket } from './socket.ts';

describe('FileWatch', () => {
  let service: ProtocolService;
  let watch: FileWatch;
  let heard: (FileChange | 'gap' | 'incomplete')[];
  let asked: unknown[];
  let wake: () => void;
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise<void>((done) => (wake = done));
  };
  const hear = (...news: typeof heard): void => {
    heard.push(...news);
    wake();
  };
  const folder = { path: 'Code/api/main', recursive: true };
  const change = { path: 'Code/api/main/a', kind: 'changed', version: '1-2-3' } as const;
  const send = (message: unknown): void => {
    for (const socket of service.sockets) socket.send(JSON.stringify(message));
  };

  beforeEach(async () => {
    service = await ProtocolService.start();
    [heard, asked, wake] = [[], [], () => undefined];
    service.attach('watchFiles', (socket) => {
      socket.on('message', (data) => {
        asked.push(JSON.parse(String(data)).folders);
        wake();
      });
    });
    watch = new FileWatch({
      api: new ApiClient({ url: service.url, token: () => 'the-token', clientId: 'window-1', fetch }),
      openSocket: openPlatformSocket,
      timing: { ...platformTiming, after: (ms, call) => platformTiming.after(ms < 10_000 ? ms / 100 : ms, call) },
      listener: {
        onChanges: (changes) => hear(...changes),
        onGap: () => hear('gap'),
        onIncomplete: () => hear('incomplete'),
      },
    });
    watch.watch([folder]);
    await until(() => asked.length === 1);
  });
  afterEach(async () => {
    watch.close();
    await service[Symbol.asyncDispose]();
  });

  it('asks for its folders and hears of changes', async () => {
    send({ type: 'changes', changes: [change] });
    send({ type: 'watching', folders: 4096, incomplete: true });
    send({ type: 'manyChanges' });
    send({ type: 'of a newer box' });
    send({ type: 'changes', changes: [{ path: 1 }] });
    await until(() => heard.length === 4);
    assert.deepEqual(heard, [change, 'incomplete', 'gap', 'gap']);
    assert.deepEqual(asked, [[folder]]);
  });

  it('asks again after a cut, and says that something may have been missed', async () => {
    await service.pause();
    await service.resume();
    await until(() => heard.length === 1 && asked.length === 2);
    assert.deepEqual([heard, asked], [['gap'], [[folder], [folder]]]);
  });

  it('keeps one connection for any number of folders, and none for none', async () => {
    watch.watch([folder, { path: 'x', recursive: false }]);
    await until(() => asked.length === 2);
    assert.equal(service.sockets.size, 1);
    watch.watch([]);
    while (service.sockets.size > 0) await new Promise((done) => setImmediate(done));
  });
});
