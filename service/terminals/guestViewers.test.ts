import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import { maxGuestViewersPerUser } from '../../protocol/limits.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';
import { GuestViewers } from './guestViewers.ts';

const share = {
  id: 's1',
  ownerId: 'ada',
  guestId: 'bo',
  terminalId: 't1',
  write: false,
  createdMs: 0,
  expiresMs: 1_000,
};

/** A box that is a WebSocket server of this test; `received` is what came through to it. */
describe('guests at a terminal', () => {
  let nowMs = 0;
  let door: Server;
  let box: WebSocketServer;
  let guests: GuestViewers;
  let received: string[];
  let isGone = false;
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

  beforeEach(async () => {
    nowMs = 0;
    isGone = false;
    received = [];
    box = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(box, 'listening');
    box.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => received.push(data.toString()));
    });
    guests = new GuestViewers({
      find: async (_guest, id) => {
        if (id !== share.id) throw new SpoonError('not-found');
        return share;
      },
      open: async () => {
        const socket = new WebSocket(`ws://127.0.0.1:${portOf(box)}`);
        await once(socket, 'open');
        return { box: socket, size: { columns: 90, rows: 20 } };
      },
      isBoxGone: async () => isGone,
      onChange: () => undefined,
      onError: (error) => assert.fail(String(error)),
      now: () => nowMs,
    });
    door = createServer();
    door.on('upgrade', (request, socket, head) => {
      try {
        guests.accept({ userId: 'bo', tokenId: 'k1' }, request.url?.slice(1) ?? '', { request, socket, head });
      } catch {
        socket.destroy();
      }
    });
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
  });
  afterEach(async () => {
    guests.close();
    for (const client of box.clients) client.terminate();
    box.close();
    door.closeAllConnections();
    await new Promise((done) => door.close(done));
  });

  async function guest(id = share.id): Promise<WebSocket> {
    const socket = new WebSocket(`ws://127.0.0.1:${portOf(door)}/${id}`);
    socket.on('error', () => undefined);
    return socket;
  }
  const endOf = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve));
  async function attached(): Promise<WebSocket> {
    const socket = await guest();
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'attach', columns: 10, rows: 5, credit: 1024 }));
    while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return socket;
  }

  it('are cut off when the time of the share is over', async () => {
    const socket = await attached();
    const ended = endOf(socket);
    nowMs = share.expiresMs;
    assert.equal(await ended, closeCode.unshared);
  });

  it('say nothing that changes the terminal, where they only look', async () => {
    const socket = await attached();
    socket.send(Buffer.from('rm -rf ~\n'));
    socket.send(JSON.stringify({ type: 'resize', columns: 10, rows: 5 }));
    socket.send(JSON.stringify({ type: 'ack', offset: 7 }));
    while (received.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(
      received.map((text) => JSON.parse(text)),
      [
        { type: 'attach', columns: 90, rows: 20, watch: true, credit: 1024, snapshots: false },
        { type: 'ack', offset: 7 },
      ],
    );
    const ended = endOf(socket);
    socket.send('no control message');
    assert.equal(await ended, closeCode.badMessage);
  });

  it('are told why: the terminal is gone, the box has ended, or it comes back', async () => {
    assert.equal(await endOf(await guest('unknown')), closeCode.ended);
    for (const [gone, code] of [
      [true, closeCode.boxGone],
      [false, closeCode.serviceRestart],
    ] as const) {
      isGone = gone;
      received = [];
      const ended = endOf(await attached());
      for (const client of box.clients) client.terminate();
      assert.equal(await ended, code);
    }
  });

  it('are not more than allowed', async () => {
    for (let count = 0; count < maxGuestViewersPerUser; count++) await once(await guest(), 'open');
    while (guests.watchingOf(share.id) < maxGuestViewersPerUser) await new Promise((resolve) => setTimeout(resolve, 5));
    await endOf(await guest());
    assert.equal(guests.watchingOf(share.id), maxGuestViewersPerUser);
  });
});
