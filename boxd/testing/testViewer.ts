import { once } from 'node:events';
import type { WebSocket } from 'ws';
import type { TerminalMessage } from '../../protocol/terminalFrames.ts';
import type { TestBox } from './testBox.ts';

interface AttachOptions {
  readonly offset?: number;
  readonly credit?: number;
  readonly columns?: number;
  readonly rows?: number;
  /** False: reads on but never acknowledges. */
  readonly acknowledge?: boolean;
  readonly snapshots?: boolean;
}

/** A viewer as a client is one: counts offsets, acknowledges, waits for text. */
export class TestViewer {
  readonly webSocket: WebSocket;
  readonly messages: TerminalMessage[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  acknowledge: boolean;
  /** Offset of the next byte. */
  offset = 0;
  output = Buffer.alloc(0);
  receivedBytes = 0;
  /** Keeps only the end of the output, for floods. */
  keepBytes = Number.POSITIVE_INFINITY;
  /** What a snapshot drew; its bytes are no output. */
  drawn = Buffer.alloc(0);
  #toDraw = 0;
  readonly #waiting = new Set<() => void>();

  constructor(webSocket: WebSocket, acknowledge: boolean) {
    this.webSocket = webSocket;
    this.acknowledge = acknowledge;
    webSocket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#onOutput(data);
      else this.#onMessage(JSON.parse(data.toString('utf8')));
      for (const wake of this.#waiting) wake();
    });
    this.closed = once(webSocket, 'close').then(([code, reason]) => {
      for (const wake of this.#waiting) wake();
      return { code, reason: reason.toString() };
    });
  }

  static async attach(box: TestBox, id: string, options: AttachOptions = {}): Promise<TestViewer> {
    const { acknowledge = true, offset, credit = 256 * 1024, columns = 80, rows = 24, snapshots } = options;
    const viewer = new TestViewer(await box.connect(`/v1/terminals/${id}/attach`), acknowledge);
    viewer.say({
      type: 'attach',
      columns,
      rows,
      credit,
      ...(offset === undefined ? {} : { offset }),
      ...(snapshots === undefined ? {} : { snapshots }),
    });
    await viewer.until(() => viewer.messages.length > 0 && viewer.#toDraw === 0);
    return viewer;
  }

  get text(): string {
    return this.output.toString('utf8');
  }

  say(message: unknown): void {
    this.webSocket.send(JSON.stringify(message));
  }

  type(text: string): void {
    this.webSocket.send(Buffer.from(text));
  }

  /** Waits, without asking again and again, until it holds or 60 s are over. */
  async until(holds: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => holds() && resolve();
    const timer = setTimeout(() => reject(new Error(`not seen in: ${JSON.stringify(this.text.slice(-2000))}`)), 60_000);
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  untilText(pattern: RegExp): Promise<void> {
    return this.until(() => pattern.test(this.text));
  }

  #onOutput(data: Buffer): void {
    if (this.#toDraw > 0) {
      this.#toDraw -= data.length;
      this.drawn = Buffer.concat([this.drawn, data]);
      return;
    }
    this.offset += data.length;
    this.receivedBytes += data.length;
    const joined = Buffer.concat([this.output, data]);
    this.output = joined.length > this.keepBytes ? joined.subarray(joined.length - this.keepBytes) : joined;
    if (this.acknowledge) this.say({ type: 'ack', offset: this.offset });
  }

  #onMessage(message: TerminalMessage): void {
    this.messages.push(message);
    if (message.type === 'exit') return;
    this.offset = message.offset;
    if (message.type === 'snapshot') {
      this.#toDraw = message.bytes;
      this.drawn = Buffer.alloc(0);
    }
  }
}
