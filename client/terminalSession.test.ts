import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WebSocket } from 'ws';
import { SpoonError } from '../protocol/errors.ts';
import { ProtocolService } from '../test/fixtures/protocolService.fixture.ts';
import { ApiClient } from './apiClient.ts';
import { platformTiming, type Timing } from './reconnectingSocket.ts';
import { openPlatformSocket } from './socket.ts';
import { type TerminalPlace, TerminalSession, type TerminalState, type TerminalViewer } from './terminalSession.ts';

/** A hundred times faster, but for the handshake's own limit. */
const hasty: Timing = {
  ...platformTiming,
  after: (ms, call) => platformTiming.after(ms < 10_000 ? ms / 100 : ms, call),
};

/** The other end of one attachment: what the viewer sent, and ways to answer. */
class Box {
  readonly texts: Record<string, unknown>[] = [];
  readonly socket: WebSocket;
  input = '';

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.input += data.toString();
      else this.texts.push(JSON.parse(data.toString()));
    });
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  attached(offset: number): void {
    this.say({ type: 'attached', offset, missed: 0, columns: 80, rows: 24 });
  }

  async message(type: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.texts.find((text) => text.type === type);
      if (found !== undefined) return found;
      await once(this.socket, 'message');
    }
  }
}

describe('TerminalSession', () => {
  let service: ProtocolService;
  let place: TerminalPlace;
  let states: TerminalState[];
  let output: string;
  let lastOffset: number;
  let boxes: Box[];
  let wake: () => void;
  let session: TerminalSession | undefined;

  /** Waits until what the callbacks and the service have seen makes it true. */
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise<void>((done) => (wake = done));
  };
  const nth = async (index: number): Promise<Box> => {
    await until(() => boxes.length > index);
    return boxes[index] as Box;
  };
  const viewer = (creditBytes = 4096): TerminalViewer => ({
    columns: 100,
    rows: 30,
    creditBytes,
    onOutput: (bytes, endOffset) => {
      output += Buffer.from(bytes).toString();
      lastOffset = endOffset;
      wake();
    },
    onState: (state) => {
      states.push(state);
      wake();
    },
  });
  const names = (): string[] => states.map(({ name }) => name);
  const open = async (creditBytes?: number): Promise<[TerminalSession, Box]> => {
    session = await TerminalSession.open(place, { cwd: 'Code/api/main' }, viewer(creditBytes));
    const box = await nth(0);
    await box.message('attach');
    box.attached(0);
    await until(() => names().includes('attached'));
    return [session, box];
  };

  beforeEach(async () => {
    service = await ProtocolService.start();
    const api = new ApiClient({ url: service.url, token: () => 'the-token', clientId: 'window-1', fetch });
    place = { api, openSocket: openPlatformSocket, timing: hasty };
    [states, boxes, output, lastOffset, wake] = [[], [], '', 0, () => undefined];
    const terminal = {
      id: 't1',
      title: 'bash',
      cwd: '',
      createdMs: 1,
      viewers: 0,
      columns: 100,
      rows: 30,
      busy: false,
      lastLine: '',
    };
    service.answer('openTerminal', () => ({
      terminal,
      ticket: service.issueTicket(),
      expiresInMs: 30_000,
      notes: ['The folder was missing.'],
    }));
    service.attach('attachTerminal', (socket) => {
      boxes.push(new Box(socket));
      wake();
    });
  });
  afterEach(async () => {
    session?.detach();
    await service[Symbol.asyncDispose]();
  });

  it('opens with its size and attaches with the ticket of the opening', async () => {
    const [opened, box] = await open();
    assert.deepEqual(opened.notes, ['The folder was missing.']);
    const request = JSON.parse(String(service.received.find(({ name }) => name === 'openTerminal')?.body));
    assert.deepEqual(request, { cwd: 'Code/api/main', columns: 100, rows: 30 });
    const attach = { type: 'attach', columns: 100, rows: 30, credit: 4096, snapshots: true, offset: 0 };
    assert.deepEqual(box.texts[0], attach);
    assert.equal(service.count('createTicket'), 0);
    assert.deepEqual(names(), ['connecting', 'attached']);
  });

  it('keeps what is typed before the prompt, and all input in order', async () => {
    session = TerminalSession.attach(place, 't1', viewer());
    assert.equal(session.write(Buffer.from('early ')), true);
    const box = await nth(0);
    assert.equal((await box.message('attach')).offset, undefined);
    session.write(Buffer.from('bird '));
    box.attached(700);
    await until(() => names().includes('attached'));
    const paste = 'x'.repeat(200_000);
    session.write(Buffer.from(paste));
    session.write(Buffer.from('end'));
    while (!box.input.endsWith('end')) await once(box.socket, 'message');
    assert.equal(box.input, `early bird ${paste}end`);
    box.socket.send(Buffer.from('now'));
    await until(() => output === 'now');
    assert.equal(lastOffset, 703);
  });

  it('acknowledges what was shown, in steps of a quarter of the credit', async () => {
    const [opened, box] = await open(4096);
    box.socket.send(Buffer.alloc(3000, 'a'));
    await until(() => lastOffset === 3000);
    opened.acknowledge(1000);
    opened.acknowledge(1024);
    opened.acknowledge(2000);
    opened.acknowledge(3000);
    opened.resize(90, 20);
    await box.message('resize');
    const acknowledged = box.texts.filter(({ type }) => type === 'ack').map(({ offset }) => offset);
    assert.deepEqual(acknowledged, [1024, 3000]);
  });

  it('comes back where it was after the connection is lost', async () => {
    const [opened, box] = await open();
    box.socket.send(Buffer.from('one '));
    await until(() => output === 'one ');
    opened.resize(90, 20);
    await box.message('resize');
    box.socket.terminate();
    const second = await nth(1);
    assert.deepEqual(await second.message('attach'), {
      type: 'attach',
      columns: 90,
      rows: 20,
      credit: 4096,
      snapshots: true,
      offset: 4,
    });
    assert.equal(service.count('createTicket'), 1);
    second.attached(2);
    second.socket.send(Buffer.from('e '));
    second.socket.send(Buffer.from('two'));
    await until(() => output.endsWith('two'));
    assert.equal(output, 'one two');
    assert.deepEqual(names(), ['connecting', 'attached', 'reconnecting', 'attached']);
    assert.deepEqual(states.at(-1), { name: 'attached', resumed: true });
  });

  it('says how much was missed', async () => {
    const [, box] = await open();
    box.socket.send(Buffer.from('one '));
    await until(() => output === 'one ');
    box.socket.terminate();
    const second = await nth(1);
    second.attached(1_000_000);
    await until(() => names().filter((name) => name === 'attached').length === 2);
    assert.deepEqual(states.slice(-2), [
      { name: 'missed', bytes: 999_996 },
      { name: 'attached', resumed: true },
    ]);
  });

  it('has the screen drawn anew where the bytes are gone, and counts on from there', async () => {
    const [, box] = await open();
    box.socket.send(Buffer.from('one '));
    await until(() => output === 'one ');
    box.socket.terminate();
    const second = await nth(1);
    await second.message('attach');
    second.say({ type: 'snapshot', offset: 1_000_000, bytes: 6, columns: 80, rows: 24 });
    second.socket.send(Buffer.from('scr'));
    second.socket.send(Buffer.from('een'));
    second.socket.send(Buffer.from('two'));
    await until(() => output.endsWith('two'));
    assert.equal(output, 'one screentwo');
    assert.equal(lastOffset, 1_000_003);
    assert.deepEqual(names(), ['connecting', 'attached', 'reconnecting', 'redraw', 'attached']);
    second.socket.terminate();
    const third = await nth(2);
    assert.equal((await third.message('attach')).offset, 1_000_003);
  });

  it('leaves a box that draws more than it said', async () => {
    const [, box] = await open();
    box.say({ type: 'snapshot', offset: 10, bytes: 2, columns: 80, rows: 24 });
    box.socket.send(Buffer.from('abc'));
    await until(() => names().includes('disconnected'));
    assert.equal(output, '');
  });

  it('survives a service that is away, with a new ticket, and drops keys meanwhile', async () => {
    const [opened] = await open();
    await service.pause();
    await until(() => names().includes('reconnecting'));
    assert.equal(opened.write(Buffer.from('rm -rf .\n')), false);
    await service.resume();
    const second = await nth(1);
    second.attached(0);
    await until(() => names().filter((name) => name === 'attached').length === 2);
    opened.write(Buffer.from('ls\n'));
    while (second.input === '') await once(second.socket, 'message');
    assert.equal(second.input, 'ls\n');
  });

  it('ends with the exit of its shell and does not come back', async () => {
    const [, box] = await open();
    box.socket.send(Buffer.from('logout\n'));
    box.say({ type: 'exit', code: 3, signal: null, ranMs: 1200 });
    box.socket.close(4004);
    await until(() => names().includes('ended'));
    assert.equal(output, 'logout\n');
    assert.deepEqual(states.at(-1), { name: 'ended', exit: { code: 3, signal: null, ranMs: 1200 } });
    await once(box.socket, 'close');
    assert.equal(boxes.length, 1);
  });

  for (const code of ['box-stopped', 'not-found'] as const) {
    it(`ends for good when coming back is answered with ${code}`, async () => {
      const [opened, box] = await open();
      service.answer('createTicket', () => {
        throw new SpoonError(code);
      });
      box.socket.terminate();
      await until(() => names().includes('ended'));
      opened.retry();
      assert.equal(service.count('openTerminal'), 1);
      assert.equal(service.count('createTicket'), 1);
      assert.equal(service.count('startBox'), 0);
    });
  }

  it('ends when its box is gone', async () => {
    const [, box] = await open();
    box.socket.close(4010);
    await until(() => names().includes('ended'));
    const ended = states.at(-1);
    assert.ok(ended?.name === 'ended' && ended.error?.code === 'box-stopped');
    assert.equal(service.count('createTicket'), 0);
  });

  it('stops without a token and comes back once there is one', async () => {
    const [opened, box] = await open();
    service.answer('createTicket', () => {
      throw new SpoonError('token-expired');
    });
    box.socket.terminate();
    await until(() => names().includes('disconnected'));
    service.answer('createTicket', () => ({ ticket: service.issueTicket(), expiresInMs: 30_000 }));
    opened.retry();
    (await nth(1)).attached(0);
    await until(() => names().at(-1) === 'attached');
  });

  it('asks for another ticket when one came too late', async () => {
    session = TerminalSession.attach(place, 't1', viewer());
    service.answer('createTicket', () => {
      const ticket = service.issueTicket();
      if (service.count('createTicket') === 1) service.tickets.clear();
      return { ticket, expiresInMs: 30_000 };
    });
    (await nth(0)).attached(0);
    await until(() => names().at(-1) === 'attached');
    assert.equal(service.count('createTicket'), 2);
  });

  const garbage: [string, (box: Box) => void][] = [
    ['a control message that is not JSON', (box) => box.socket.send('{')],
    ['a negative offset', (box) => box.attached(-1)],
    ['output before the attachment', (box) => box.socket.send(Buffer.from('x'))],
    ['an exit code that is none', (box) => box.say({ type: 'exit', code: 'x', signal: null, ranMs: 0 })],
  ];
  for (const [name, send] of garbage) {
    it(`disconnects on ${name}`, async () => {
      session = TerminalSession.attach(place, 't1', viewer());
      send(await nth(0));
      await until(() => names().includes('disconnected'));
    });
  }

  it('says that the box does not answer, and that it does again', async () => {
    const [, box] = await open();
    box.say({ type: 'boxSilent' });
    box.say({ type: 'boxAnswers' });
    await until(() => names().includes('answering'));
    assert.deepEqual(names().slice(-2), ['silent', 'answering']);
  });

  it('skips a control message of a newer box', async () => {
    const [, box] = await open();
    box.say({ type: 'weather', sky: 'blue' });
    box.socket.send(Buffer.from('on'));
    await until(() => output === 'on');
  });

  it('says nothing after it was detached', async () => {
    const [opened, box] = await open();
    opened.detach();
    await once(box.socket, 'close');
    assert.deepEqual(names(), ['connecting', 'attached']);
  });
});
