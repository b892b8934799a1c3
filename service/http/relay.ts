import type { Duplex } from 'node:stream';

/** How long the other end may take to read what is left after one end closed. */
const lingerMs = 5_000;
const keepAliveMs = 20_000;
const textOpcode = 0x01;
const closeOpcode = 0x08;

/**
 * Where frames begin in what a box sends (RFC 6455 section 5.2), so that a frame of ours can follow one of its. Reads
 * lengths and skips; what is in a frame is not looked at.
 */
export class FrameWalk {
  #header: number[] = [];
  #payloadBytes = 0;
  #saidClose = false;

  /** Nothing of a frame is under way. */
  get isBetweenFrames(): boolean {
    return this.#header.length === 0 && this.#payloadBytes === 0;
  }

  /** The box has closed the WebSocket itself. */
  get saidClose(): boolean {
    return this.#saidClose;
  }

  /** @param stopBetween stops at the end of the first frame @returns how many bytes were walked over */
  walk(chunk: Uint8Array, stopBetween = false): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadBytes > 0) {
        const skipped = Math.min(chunk.length - at, this.#payloadBytes);
        this.#payloadBytes -= skipped;
        at += skipped;
      } else {
        this.#header.push(chunk[at] ?? 0);
        at++;
        this.#endHeader();
      }
      if (stopBetween && this.isBetweenFrames) break;
    }
    return at;
  }

  #endHeader(): void {
    const [first = 0, second = 0, ...rest] = this.#header;
    const length = second & 0x7f;
    const lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
    const maskBytes = (second & 0x80) === 0 ? 0 : 4;
    if (this.#header.length < 2 + lengthBytes + maskBytes) return;
    const long = Buffer.from(rest.slice(0, lengthBytes));
    this.#payloadBytes = lengthBytes === 0 ? length : Number(`0x${long.toString('hex')}`);
    if ((first & 0x0f) === closeOpcode) this.#saidClose = true;
    this.#header = [];
  }
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * A client and its box, joined byte for byte with back pressure. What ends one ends the other; a client whose box ends
 * without a word is told why, and `close` tells it why the service ends it.
 */
export class Relay {
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  readonly #walk = new FrameWalk();
  readonly #whyGone: () => Promise<Closing | undefined>;
  readonly #over = Promise.withResolvers<void>();
  #fromClient = 0;
  #toClient = 0;
  #ended = false;
  /** Waits for the end of the frame that is under way. */
  #unsaid: string | undefined;

  /** @param whyGone asked when the box's end is gone without a close frame; undefined says nothing */
  constructor(client: Duplex, upstream: Duplex, whyGone: () => Promise<Closing | undefined>) {
    this.#client = client;
    this.#upstream = upstream;
    this.#whyGone = whyGone;
    for (const socket of [client, upstream]) {
      if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true);
      if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0);
      if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, keepAliveMs);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        if (client.destroyed && upstream.destroyed) this.#over.resolve();
      });
    }
    for (const event of ['end', 'close']) {
      client.once(event, () => this.#clientGone());
      upstream.once(event, () => void this.#upstreamGone());
    }
    client.pipe(upstream, { end: false });
    upstream.pipe(client, { end: false });
    upstream.on('data', this.#onData);
    client.on('data', (chunk: Buffer) => {
      this.#fromClient += chunk.length;
    });
  }

  /** What has passed so far, the frames around it included. */
  get bytes(): { readonly fromClient: number; readonly toClient: number } {
    return { fromClient: this.#fromClient, toClient: this.#toClient };
  }

  /** Settles when both ends are gone. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Puts a message of the service's own between the frames of the box; a later one takes the place of one that still waits. */
  say(message: string): void {
    this.#unsaid = message;
    this.#sayIfBetween();
  }

  /** Ends both, and tells the client why, behind the frame that is under way. */
  close(closing: Closing): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#upstream.unpipe(this.#client).off('data', this.#onData);
    if (this.#walk.isBetweenFrames) {
      this.#sayAndEnd(closing);
      return;
    }
    const finish = (chunk: Buffer): void => {
      this.#client.write(chunk.subarray(0, this.#walk.walk(chunk, true)));
      if (!this.#walk.isBetweenFrames) return;
      this.#upstream.off('data', finish);
      this.#sayAndEnd(closing);
    };
    this.#upstream.on('data', finish).resume();
    this.#linger(this.#upstream);
    this.#linger(this.#client);
  }

  /** Without a word. */
  destroy(): void {
    this.#ended = true;
    this.#client.destroy();
    this.#upstream.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#toClient += chunk.length;
    this.#walk.walk(chunk);
    this.#sayIfBetween();
  };

  #sayIfBetween(): void {
    if (this.#unsaid === undefined || this.#ended || this.#walk.saidClose || !this.#walk.isBetweenFrames) return;
    this.#client.write(textFrame(this.#unsaid));
    this.#unsaid = undefined;
  }

  #clientGone(): void {
    this.#client.destroy();
    this.#endGently(this.#upstream);
  }

  async #upstreamGone(): Promise<void> {
    this.#upstream.destroy();
    if (this.#ended) return;
    if (!this.#walk.saidClose && this.#walk.isBetweenFrames) {
      this.#ended = true;
      const closing = await this.#whyGone().catch(() => undefined);
      if (closing !== undefined) {
        this.#sayAndEnd(closing);
        return;
      }
    }
    this.#endGently(this.#client);
  }

  #sayAndEnd(closing: Closing): void {
    this.#upstream.destroy();
    if (this.#client.writable) this.#client.write(closeFrame(closing));
    this.#endGently(this.#client);
  }

  /** What is on the way is still delivered, such as the last screen and the exit code. */
  #endGently(socket: Duplex): void {
    this.#ended = true;
    socket.end();
    this.#linger(socket);
    socket.once('finish', () => socket.destroy());
  }

  #linger(socket: Duplex): void {
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  }
}

/** RFC 6455 section 5.2, for at most 125 bytes. */
function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x80 | textOpcode, bytes.length), bytes]);
}

/** RFC 6455 section 5.5.1: unmasked, because it comes from a server. */
function closeFrame({ code, reason }: Closing): Buffer {
  const text = Buffer.from(reason).subarray(0, 123);
  const frame = Buffer.alloc(4 + text.length);
  frame[0] = 0x80 | closeOpcode;
  frame[1] = 2 + text.length;
  frame.writeUInt16BE(code, 2);
  text.copy(frame, 4);
  return frame;
}
