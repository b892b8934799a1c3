import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { socketProtocols } from '../client/socket.ts';
import { viewerCreditBytes } from '../protocol/limits.ts';
import { type BenchBox, promptText } from './benchBox.ts';
import { compare, type Row, rowOf, spreadOf } from './ratio.ts';

const outputBytes = 200 * 1024 * 1024;
/** What one box has connections for; of the service each takes the same as of another box. */
const idleViewers = 50;
const viewersPerTerminal = 10;
/** Memory counts as settled when so many looks after each other find the same. */
const settledLooks = 5;
const lookEveryMs = 200;

/** A viewer at the level of its socket, so that it can stop reading. */
class RawViewer {
  readonly socket: WebSocket;
  receivedBytes = 0;
  readonly #isSpoon: boolean;
  #tail = '';
  #offset = 0;
  #waiting: { text: string; resolve: () => void } | undefined;

  private constructor(socket: WebSocket, isSpoon: boolean) {
    this.socket = socket;
    this.#isSpoon = isSpoon;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#onOutput(data);
      else this.#offset = (JSON.parse(data.toString()) as { offset?: number }).offset ?? this.#offset;
    });
  }

  static async spoon(box: BenchBox, id?: string): Promise<RawViewer> {
    const { api } = box;
    const opened = id === undefined ? await api.call('openTerminal', { body: { columns: 120, rows: 40 } }) : undefined;
    const terminalId = opened?.terminal.id ?? id ?? '';
    const ticket =
      opened?.ticket ?? (await api.call('createTicket', { body: { kind: 'terminal', id: terminalId } })).ticket;
    const url = api.socketUrl('attachTerminal', { id: terminalId });
    const socket = new WebSocket(url, socketProtocols(ticket), { perMessageDeflate: false });
    const viewer = new RawViewer(socket, true);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'attach', columns: 120, rows: 40, credit: viewerCreditBytes, offset: 0 }));
    return viewer;
  }

  static async plain(port: number): Promise<RawViewer> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const viewer = new RawViewer(socket, false);
    await once(socket, 'open');
    return viewer;
  }

  type(text: string): void {
    this.socket.send(Buffer.from(text));
  }

  until(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { text, resolve };
      this.#look();
    });
  }

  #onOutput(data: Buffer): void {
    this.receivedBytes += data.length;
    this.#offset += data.length;
    if (this.#isSpoon) this.socket.send(JSON.stringify({ type: 'ack', offset: this.#offset }));
    this.#tail = (this.#tail + data.toString('latin1')).slice(-4096);
    this.#look();
  }

  #look(): void {
    const at = this.#tail.indexOf(this.#waiting?.text ?? '\0');
    if (at < 0) return;
    this.#tail = this.#tail.slice(at + (this.#waiting?.text.length ?? 0));
    const { resolve } = this.#waiting ?? {};
    this.#waiting = undefined;
    resolve?.();
  }
}

class PlainBridge implements AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.pid = child.pid ?? 0;
  }

  static async start(box: BenchBox): Promise<PlainBridge> {
    const file = new URL('plainBridge.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [file, box.dockerSocket, box.containerId], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return new PlainBridge(child, Number(port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }
}

/** A viewer that stops reading while 200 MB are printed: what that costs, and what Ctrl-C then still has in front of it. */
export async function frozenReader(box: BenchBox): Promise<Row[]> {
  await box.ensureBigFile(outputBytes);
  const delivered = { spoon: [] as number[], plain: [] as number[] };
  const measure = async (pid: number, open: () => Promise<RawViewer>, counts: number[]): Promise<number> => {
    const viewer = await open();
    await viewer.until(promptText);
    const before = await residentKib(pid);
    viewer.socket.pause();
    viewer.type('cat big.txt\r');
    const grown = (await settledKib(pid)) - before;
    viewer.receivedBytes = 0;
    viewer.type('\x03');
    viewer.socket.resume();
    await viewer.until(promptText);
    counts.push(viewer.receivedBytes / 2 ** 20);
    viewer.type('exit\r');
    await once(viewer.socket, 'close');
    return Math.max(0, grown) / 1024;
  };
  const memory = await compare({
    name: 'service memory for a frozen reader and 200 MB of output',
    reference: 'a bridge on the exec API without flow control',
    goal: 0.05,
    better: 'lower',
    unit: 'MiB',
    pairs: 2,
    measureSpoon: () => measure(box.service.pid, () => RawViewer.spoon(box), delivered.spoon),
    async measureReference() {
      await using bridge = await PlainBridge.start(box);
      return await measure(bridge.pid, () => RawViewer.plain(bridge.port), delivered.plain);
    },
  });
  const bytes = rowOf(
    {
      name: 'delivered after Ctrl-C of a flood',
      reference: memory.reference,
      goal: 0.05,
      better: 'lower',
      unit: 'MiB',
    },
    spreadOf(delivered.spoon.slice(1)),
    spreadOf(delivered.plain.slice(1)),
  );
  return [memory, bytes];
}

/** Resident memory of the service for each viewer that is attached and idle, KiB. */
export function idleViewer(box: BenchBox): Promise<Row> {
  return compare({
    name: `service memory per idle attached viewer (${idleViewers} of them)`,
    reference: 'a bridge on the exec API',
    goal: 1,
    better: 'lower',
    unit: 'KiB',
    pairs: 2,
    async measureSpoon() {
      const before = await settledKib(box.service.pid);
      const viewers = await viewersOf(box);
      const each = ((await settledKib(box.service.pid)) - before) / idleViewers;
      const closed = viewers.all.map(({ socket }) => once(socket, 'close'));
      for (const id of viewers.ids) await box.api.call('closeTerminal', { params: { id } });
      await Promise.all(closed);
      return Math.max(0, each);
    },
    async measureReference() {
      await using bridge = await PlainBridge.start(box);
      const first = await RawViewer.plain(bridge.port);
      await first.until(promptText);
      const before = await settledKib(bridge.pid);
      const all: RawViewer[] = [];
      for (let count = 0; count < idleViewers; count++) {
        const viewer = await RawViewer.plain(bridge.port);
        await viewer.until(promptText);
        all.push(viewer);
      }
      const each = ((await settledKib(bridge.pid)) - before) / idleViewers;
      for (const { socket } of [first, ...all]) socket.close();
      return each;
    },
  });
}

async function viewersOf(box: BenchBox): Promise<{ ids: string[]; all: RawViewer[] }> {
  const ids: string[] = [];
  const all: RawViewer[] = [];
  for (let count = 0; count < idleViewers; count++) {
    if (count % viewersPerTerminal === 0) {
      ids.push((await box.api.call('openTerminal', { body: { columns: 120, rows: 40 } })).terminal.id);
    }
    const viewer = await RawViewer.spoon(box, ids.at(-1));
    await viewer.until(promptText);
    all.push(viewer);
  }
  return { ids, all };
}

async function residentKib(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Nothing tells when a bridge has taken in all that it will. */
async function settledKib(pid: number): Promise<number> {
  let last = await residentKib(pid);
  for (let same = 0; same < settledLooks; ) {
    await delay(lookEveryMs);
    const now = await residentKib(pid);
    same = Math.abs(now - last) <= 64 ? same + 1 : 0;
    last = now;
  }
  return last;
}
