import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { maxFrameBytes } from '../../protocol/limits.ts';
import { operatorCall, TestHttpSide, upgradeStatus } from '../fixtures/httpSide.fixture.ts';

interface Opened {
  terminal: { id: string; cwd: string; columns: number; rows: number };
  ticket: string;
  notes: string[];
}

describe('sockets', () => {
  let side: TestHttpSide;
  let token: string;
  let tokenId: string;
  let boToken: string;
  const opened: string[] = [];

  before(async () => {
    side = await TestHttpSide.start();
    const create = async (username: string) => {
      const { body } = await operatorCall(side.adminSocket, 'POST', `/v1/admin/users/${username}/tokens`, {
        name: 'x',
      });
      return body as { token: string; info: { id: string } };
    };
    const created = await create('ada');
    token = created.token;
    tokenId = created.info.id;
    boToken = (await create('bo')).token;
    await side.json('POST', '/v1/box/start', token);
  });
  after(() => side[Symbol.asyncDispose]());

  async function open(body: Record<string, unknown> = {}): Promise<Opened> {
    const terminal = await side.json<Opened>('POST', '/v1/terminals', token, body);
    opened.push(terminal.terminal.id);
    return terminal;
  }
  const attachPath = (id: string) => `/v1/terminals/${id}/attach`;
  const close = (id: string) => side.json('DELETE', `/v1/terminals/${id}`, token);

  const ticketOf = (id: string) =>
    side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'terminal', id });

  /** Attaches and collects the output as text. */
  async function attach(ticket: string, id: string): Promise<{ socket: WebSocket; output: () => string }> {
    const socket = side.socket(attachPath(id), ticket);
    let output = '';
    socket.on('message', (data, isBinary) => {
      if (isBinary) output += data.toString();
    });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'attach', columns: 80, rows: 24, credit: 2 ** 20 }));
    return { socket, output: () => output };
  }
  async function until(condition: () => boolean): Promise<void> {
    for (const endMs = performance.now() + 10_000; !condition(); ) {
      assert.ok(performance.now() < endMs, 'in time');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  it('carry a terminal to its shell and back', async () => {
    const { terminal, ticket } = await open();
    const { socket, output } = await attach(ticket, terminal.id);
    assert.equal(socket.protocol, 'spoon.v1');
    assert.equal(socket.extensions, '');
    socket.send(Buffer.from('echo "$((6*7))-works"\r'));
    await until(() => output().includes('42-works'));
    socket.terminate();
    await close(terminal.id);
  });

  it('take a ticket in a header too, where no browser is', async () => {
    const { terminal, ticket } = await open();
    const { default: WebSocketClass } = await import('ws');
    const socket = new WebSocketClass(`${side.url.replace('http', 'ws')}${attachPath(terminal.id)}`, {
      headers: { authorization: `Bearer ${ticket}` },
    });
    await once(socket, 'open');
    assert.equal(socket.protocol, '');
    socket.terminate();
    await close(terminal.id);
  });

  it('are refused without a ticket, with a used one, another’s, another terminal’s, a token, or one in the URL', async () => {
    const { terminal, ticket } = await open();
    const { terminal: other, ticket: otherTicket } = await open();
    const refused = async (status: number, path: string, given?: string, protocols?: string[]) =>
      assert.equal(await upgradeStatus(side.socket(path, given, protocols ? { protocols } : {})), status);
    await refused(401, attachPath(terminal.id));
    await refused(401, attachPath(terminal.id), 'spn_t_garbage');
    await refused(401, attachPath(terminal.id), token);
    await refused(401, attachPath(terminal.id), otherTicket);
    await refused(401, attachPath(other.id), otherTicket);
    await refused(400, `${attachPath(terminal.id)}?ticket=${ticket}`);
    await refused(400, `${attachPath(terminal.id)}?x=${ticket}`);
    await refused(404, '/v1/nothing', ticket);
    await refused(404, `/v1/terminals/..%2f..%2fcommands/attach`, ticket);
    await refused(101, attachPath(terminal.id), ticket);
    await refused(401, attachPath(terminal.id), ticket);
    const ofAnother = await side.call('POST', '/v1/tickets', boToken, { kind: 'terminal', id: terminal.id });
    const ofNobody = await side.call('POST', '/v1/tickets', boToken, { kind: 'terminal', id: 'A'.repeat(22) });
    assert.equal(ofAnother.status, ofNobody.status);
    assert.ok(ofAnother.status === 404 || ofAnother.status === 409, 'the box of the one who asks is off');
    for (const id of [terminal.id, other.id]) await close(id);
  });

  it('let exactly one of a hundred in with one ticket', async () => {
    const { terminal, ticket } = await open();
    const tries = Array.from({ length: 100 }, () => upgradeStatus(side.socket(attachPath(terminal.id), ticket)));
    const statuses = await Promise.all(tries);
    assert.equal(statuses.filter((status) => status === 101).length, 1);
    assert.ok(statuses.every((status) => status === 101 || status === 401));
    await close(terminal.id);
  });

  it('are refused to pages of other origins, with a ticket that is right', async () => {
    const { terminal, ticket } = await open();
    for (const origin of ['https://evil.test', 'null']) {
      assert.equal(await upgradeStatus(side.socket(attachPath(terminal.id), ticket, { origin })), 403);
    }
    const origin = 'https://vscode.example';
    assert.equal(await upgradeStatus(side.socket(attachPath(terminal.id), ticket, { origin })), 101);
    await close(terminal.id);
  });

  it('are refused when the handshake is not whole', async () => {
    const { terminal, ticket } = await open();
    const port = Number(new URL(side.url).port);
    const shake = async (lines: string[]): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      socket.write(
        [
          `GET ${attachPath(terminal.id)} HTTP/1.1`,
          'Host: localhost',
          'Connection: Upgrade',
          'Upgrade: websocket',
          `Authorization: Bearer ${ticket}`,
          ...lines,
          '\r\n',
        ].join('\r\n'),
      );
      const [answer] = await once(socket, 'data');
      socket.destroy();
      return String(answer);
    };
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    assert.match(await shake(['Sec-WebSocket-Version: 13']), /^HTTP\/1\.1 400 /);
    assert.match(await shake(['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: short']), /^HTTP\/1\.1 400 /);
    assert.match(await shake(['Sec-WebSocket-Version: 8', key]), /^HTTP\/1\.1 426 /);
    const answer = await shake([
      'Sec-WebSocket-Version: 13',
      key,
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    ]);
    // The accept hash of RFC 6455 section 1.3's example, and nothing that was not asked for.
    assert.match(answer, /^HTTP\/1\.1 101 .*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n\r\n/s);
    assert.doesNotMatch(answer, /extensions|set-cookie|server:/i);
    await close(terminal.id);
  });

  it('refuse the seventeenth terminal, and give the place of a closed one to the next', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await side.call('POST', '/v1/terminals', token, {});
        return { status: response.status, body: (await response.json()) as Opened & { code?: string } };
      }),
    );
    const made = results.filter(({ status }) => status === 200);
    assert.equal(made.length, 16);
    assert.ok(
      results.every(({ status, body }) => status === 200 || (status === 429 && body.code === 'terminal-limit')),
    );
    const [first, ...rest] = made.map(({ body }) => body.terminal.id);
    await close(first ?? '');
    const { terminal } = await open();
    for (const id of [...rest, terminal.id]) await close(id);
    const { terminals } = await side.json<{ terminals: unknown[] }>('GET', '/v1/terminals', token);
    assert.deepEqual(terminals, []);
  });

  it('end with the token that opened them, within five seconds', async () => {
    const { body } = await operatorCall(side.adminSocket, 'POST', '/v1/admin/users/ada/tokens', { name: 'lost' });
    const lost = body as { token: string; info: { id: string } };
    const terminal = await side.json<Opened>('POST', '/v1/terminals', lost.token, {});
    const { socket } = await attach(terminal.ticket, terminal.terminal.id);
    const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', lost.token, { kind: 'events' });
    const events = side.socket('/v1/events', ticket);
    await once(events, 'open');
    const { ticket: unused } = await side.json<{ ticket: string }>('POST', '/v1/tickets', lost.token, {
      kind: 'events',
    });
    const closed = Promise.all([once(socket, 'close'), once(events, 'close')]);
    await side.json('DELETE', `/v1/tokens/${lost.info.id}`, token);
    const [, [code]] = await closed;
    assert.equal(code, 4001);
    assert.equal(await upgradeStatus(side.socket('/v1/events', unused)), 401);
    await close(terminal.terminal.id);
    assert.notEqual(tokenId, lost.info.id);
  });

  const frames: [string, (socket: WebSocket) => void, number[]][] = [
    ['a frame that is too large', (socket) => socket.send(Buffer.alloc(maxFrameBytes + 1)), [1009]],
    ['text that is not UTF-8', (socket) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false }), [1007]],
    ['binary garbage', (socket) => socket.send(Buffer.from([1, 2, 3])), [1003, 4400]],
    ['an empty message', (socket) => socket.send('{}'), [1003, 4400]],
    [
      'a flood of pings',
      (socket) => {
        for (let count = 0; count < 500; count++) socket.ping();
      },
      // ws itself cuts off who sends more at once than can be answered.
      [1008, 1006],
    ],
  ];
  for (const [name, send, codes] of frames) {
    it(`of events close at ${name}`, async () => {
      const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', token, { kind: 'events' });
      const socket = side.socket('/v1/events', ticket);
      socket.on('error', () => undefined);
      await once(socket, 'open');
      send(socket);
      const [code] = await once(socket, 'close');
      assert.ok(codes.includes(code), String(code));
    });
  }

  it('of events tell a user what changed, and nobody else', async () => {
    const heard = new Map<string, string[]>();
    const sockets: WebSocket[] = [];
    for (const listener of [token, boToken]) {
      const { ticket } = await side.json<{ ticket: string }>('POST', '/v1/tickets', listener, { kind: 'events' });
      const socket = side.socket('/v1/events', ticket);
      const list: string[] = [];
      heard.set(listener, list);
      socket.on('message', (data) => list.push((JSON.parse(String(data)) as { type: string }).type));
      await once(socket, 'open');
      sockets.push(socket);
    }
    const saved = await side.json<{ applied: { state: string } }>(
      'PUT',
      '/v1/dotfiles/content?path=.seen',
      token,
      Buffer.from('x'),
    );
    assert.equal(saved.applied.state, 'applied');
    await until(() => heard.get(token)?.includes('dotfile.applied') ?? false);
    assert.deepEqual(heard.get(token), ['hello', 'dotfile.saved', 'dotfile.applied']);
    assert.deepEqual(heard.get(boToken), ['hello']);
    for (const socket of sockets) socket.terminate();
  });

  it('start a terminal in the home when the folder asked for will not do', async () => {
    const home = side.boxes.homeOf('ada');
    mkdirSync(join(home, 'Code/api'), { recursive: true });
    writeFileSync(join(home, 'a-file'), '');
    const startsIn = async (cwd: string, expected: string, noteCount: number) => {
      const { terminal, notes } = await open({ cwd });
      assert.equal(notes.length, noteCount, notes.join());
      const { socket, output } = await attach((await ticketOf(terminal.id)).ticket, terminal.id);
      socket.send(Buffer.from('echo "in=$PWD="\r'));
      await until(() => output().includes(`in=${expected}=`));
      socket.terminate();
      await close(terminal.id);
    };
    for (const cwd of ['../../etc', '/etc', 'nowhere', 'a-file']) await startsIn(cwd, home, 1);
    await startsIn('Code/api', join(home, 'Code/api'), 0);
  });

  it('clamp the size of a terminal, and refuse what is no whole number', async () => {
    for (const [columns, rows, expected] of [
      [0, 0, [2, 1]],
      [-1, 1e9, [2, 300]],
    ] as const) {
      const { terminal } = await open({ columns, rows });
      assert.deepEqual([terminal.columns, terminal.rows], expected);
      await close(terminal.id);
    }
    for (const columns of [1.5, 'a', null]) {
      assert.equal((await side.call('POST', '/v1/terminals', token, { columns })).status, 422);
    }
  });

  it('refuse commands that no system would run', async () => {
    for (const argv of [[''], ['a\0b'], ['x', 'y'.repeat(200_000)], ['x', '\ud800']]) {
      const response = await side.call('POST', '/v1/commands', token, { argv });
      assert.equal(response.status, 422);
    }
  });
});
