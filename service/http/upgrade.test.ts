import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SpoonError } from '../../protocol/errors.ts';
import { formatToken } from '../../protocol/tokenFormat.ts';
import { type RelayEnd, Upgrades } from './upgrade.ts';

const ticket = formatToken({ kind: 't', id: 'a'.repeat(12), secret: 'b'.repeat(43) });

/** The box's end: what the client sent, and a way to answer. */
class Box extends Duplex {
  readonly received: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.received.push(chunk);
    done();
  }
}

describe('the relay', () => {
  let server: Server;
  let upgrades: Upgrades;
  let openRelay: () => Promise<Duplex>;
  let reports: { status: number; code?: string }[];
  let failures: unknown[];
  let ends: RelayEnd[];
  let refusals: string[];
  let isGone: boolean;
  const clients: Socket[] = [];

  beforeEach(async () => {
    reports = [];
    failures = [];
    ends = [];
    refusals = [];
    isGone = false;
    upgrades = new Upgrades({
      access: { hosts: new Set(['localhost']), origins: new Set() },
      redeem: () => ({ userId: 'ada', tokenId: 'one' }),
      openRelay: () => openRelay(),
      isBoxGone: async () => isGone,
      acceptEvents: () => assert.fail('no events here'),
      acceptJob: () => assert.fail('no jobs here'),
      acceptShare: () => assert.fail('no jobs here'),
      report: (report) => reports.push(report),
      opened: (_viewing, ended) => {
        void ended.then((end) => ends.push(end));
      },
      refused: (code) => refusals.push(code),
      failure: (error) => failures.push(error),
    });
    server = createServer();
    upgrades.attachTo(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.destroy();
    await upgrades.close();
    server.close();
    await once(server, 'close');
  });

  function dial(early = ''): Socket {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    clients.push(client);
    client.write(
      'GET /v1/terminals/one/attach HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${ticket}\r\n` +
        `Cookie: a=b\r\n\r\n${early}`,
    );
    return client;
  }
  async function head(client: Socket): Promise<string> {
    let answer = '';
    while (!answer.includes('\r\n\r\n')) answer += String((await once(client, 'data'))[0]);
    return answer;
  }
  async function until(condition: () => boolean): Promise<void> {
    for (const endMs = performance.now() + 5_000; !condition(); ) {
      assert.ok(performance.now() < endMs, 'in time');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('joins both ways, with what the client sent ahead', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial('early');
    assert.match(await head(client), /^HTTP\/1\.1 101 .*\r\n\r\n$/s);
    client.write(' bytes');
    await until(() => Buffer.concat(box.received).toString() === 'early bytes');
    box.push(Buffer.from([0x82, 1, 0xff]));
    assert.deepEqual((await once(client, 'data'))[0], Buffer.from([0x82, 1, 0xff]));
    client.destroy();
    await until(() => ends.length === 1);
    assert.deepEqual([ends[0]?.fromClient, ends[0]?.toClient], [11, 3], 'how much has passed is told');
  });

  for (const code of ['box-misbehaved', 'box-unavailable', 'box-stopped', 'not-found'] as const) {
    it(`answers ${code} itself, and nothing that the box said`, async () => {
      openRelay = async () => {
        throw new SpoonError(code, undefined, { cause: new Error('Set-Cookie: canary') });
      };
      const answer = await text(dial());
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${new SpoonError(code).status} .*"code":"${code}"`, 's'));
      assert.doesNotMatch(answer, /canary/);
      assert.deepEqual([reports[0]?.code, refusals], [code, [code]]);
      assert.deepEqual(failures, []);
    });
  }

  it('says nothing of a bug to the client and everything to the log', async () => {
    openRelay = async () => {
      throw new Error('canary');
    };
    assert.doesNotMatch(await text(dial()), /canary/);
    assert.match(String(failures[0]), /canary/);
  });

  it('lets no more than four of a user wait for a box that does not answer', async () => {
    const { promise: never, reject } = Promise.withResolvers<Duplex>();
    let asked = 0;
    openRelay = () => {
      asked++;
      return never;
    };
    const waiting = Array.from({ length: 4 }, () => dial());
    await until(() => asked === 4);
    const fifth = await text(dial());
    assert.match(fifth, /^HTTP\/1\.1 429 .*retry-after: 1/s);
    const answers = Promise.all(waiting.map((client) => text(client)));
    reject(new SpoonError('box-unavailable'));
    for (const answer of await answers) assert.match(answer, /^HTTP\/1\.1 503 /);
    openRelay = async () => new Box();
    assert.match(await head(dial()), /^HTTP\/1\.1 101 /);
  });

  it('holds back a box whose viewer does not read, and goes on when it does', async () => {
    const box = new PassThrough({ highWaterMark: 65_536 });
    openRelay = async () => Duplex.from({ readable: box, writable: new PassThrough().resume() });
    const client = dial();
    await head(client);
    client.pause();
    const chunk = Buffer.alloc(65_536, 'x');
    let sentBytes = 0;
    // The kernel's buffers take a few megabytes; after them nothing more may pass.
    while (sentBytes < 64 * 2 ** 20) {
      sentBytes += chunk.length;
      if (box.write(chunk)) continue;
      const drained = await Promise.race([
        once(box, 'drain').then(() => true),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), 300)),
      ]);
      if (!drained) break;
    }
    assert.ok(sentBytes < 32 * 2 ** 20, `${sentBytes} bytes were taken from a box that nobody reads`);
    let receivedBytes = 0;
    client.on('data', (data) => {
      receivedBytes += data.length;
    });
    client.resume();
    await until(() => receivedBytes === sentBytes);
  });

  it('delivers the last bytes of a box that ends, and ends with it', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    box.push('the last bytes');
    box.push(null);
    assert.equal(await text(client), 'the last bytes');
    await until(() => box.destroyed);
  });

  /** The close frame at the end of what a client got, and what came before it. */
  function closing(bytes: Buffer): { before: Buffer; code: number; reason: string } {
    const at = bytes.lastIndexOf(0x88);
    assert.ok(at >= 0, bytes.toString());
    return {
      before: bytes.subarray(0, at),
      code: bytes.readUInt16BE(at + 2),
      reason: bytes.subarray(at + 4).toString(),
    };
  }

  it('says goodbye behind the frame that is under way when the service ends', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    const frame = Buffer.concat([Buffer.of(0x82, 126, 0x01, 0x00), Buffer.alloc(256, 'x')]);
    box.push(frame.subarray(0, 2));
    await once(client, 'data');
    const rest = buffer(client);
    const closed = upgrades.close();
    box.push(Buffer.concat([frame.subarray(2), Buffer.of(0x82, 1, 0x79)]));
    const { before, code } = closing(await rest);
    assert.equal(code, 1012);
    assert.deepEqual(before, frame.subarray(2));
    await closed;
    assert.ok(box.destroyed);
  });

  it('tells viewers between two frames of the box that it does not answer, and that it does again', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    let received = Buffer.alloc(0);
    client.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
    const text = (type: string): Buffer => {
      const json = JSON.stringify({ type });
      return Buffer.concat([Buffer.of(0x81, json.length), Buffer.from(json)]);
    };
    const frame = Buffer.of(0x82, 3, 1, 2, 3);
    box.push(frame.subarray(0, 4));
    await until(() => received.length === 4);
    upgrades.tellSilence('another', true);
    upgrades.tellSilence('ada', true);
    box.push(frame.subarray(4));
    const expected = Buffer.concat([frame, text('boxSilent'), text('boxAnswers'), frame]);
    await until(() => received.length === frame.length + text('boxSilent').length);
    upgrades.tellSilence('ada', false);
    box.push(frame);
    await until(() => received.length === expected.length);
    assert.deepEqual(received, expected);
  });

  it('does not wait for a frame that never ends', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    box.push(Buffer.of(0x82, 127, 0, 0, 0, 1));
    await once(client, 'data');
    await upgrades.close();
    assert.ok(box.destroyed);
  });

  it('says that the box has ended, where it went without a word', async () => {
    isGone = true;
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    const rest = buffer(client);
    box.destroy();
    assert.equal(closing(await rest).code, 4010);
  });

  it('adds nothing where the box closed by itself, or only the connection broke', async () => {
    for (const frame of [Buffer.of(0x88, 2, 0x03, 0xe8), Buffer.of(0x82, 1, 0x79)]) {
      isGone = frame[0] === 0x88;
      const box = new Box();
      openRelay = async () => box;
      const client = dial();
      await head(client);
      box.push(frame);
      box.push(null);
      assert.deepEqual(await buffer(client), frame);
    }
  });

  it('lets go of the box when the client is gone', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    client.resetAndDestroy();
    await until(() => box.destroyed);
  });

  it('opens nothing for a token that is revoked while the box is slow to answer', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<Duplex>();
    openRelay = () => {
      asked.resolve();
      return answer.promise;
    };
    const client = dial();
    await asked.promise;
    upgrades.closeThoseOf('one');
    const box = new Box();
    answer.resolve(box);
    assert.match(await head(client), /^HTTP\/1\.1 401 /);
    await until(() => box.destroyed);
  });

  it('ends what a token opened when it is revoked, and nothing else', async () => {
    const box = new Box();
    openRelay = async () => box;
    const client = dial();
    await head(client);
    upgrades.closeThoseOf('another');
    assert.ok(!box.destroyed);
    const rest = buffer(client);
    upgrades.closeThoseOf('one');
    assert.equal(closing(await rest).code, 4001);
    assert.ok(box.destroyed);
  });
});
