import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { maxFrameBytes } from '../../protocol/limits.ts';
import { closeCode, type TerminalMessage } from '../../protocol/terminalFrames.ts';
import type { ByteRing } from './byteRing.ts';
import { isHeld, replayReset, replayStart } from './replayStart.ts';
import type { Snapshot } from './screenModel.ts';
import { SendGate } from './sendGate.ts';

interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Options {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly ring: ByteRing;
  /** The socket has taken all that waited. */
  readonly onDrain: () => void;
}

/** Of all viewers: made anew for each frame, they would keep the garbage collector busy through every flood. */
const spareFrames: Buffer[] = [];
const maxSpareFrames = 8;

/**
 * One viewer of a terminal: an offset into the terminal's ring, and how far beyond it may be sent. Nothing is queued for
 * it but what its socket holds.
 */
export class TerminalViewer {
  readonly webSocket: WebSocket;
  /** As it last said. */
  size: Size | undefined;
  readonly #socket: Duplex;
  readonly #ring: ByteRing;
  #gate: SendGate | undefined;
  /** As it was in `attach`. */
  #asked: { readonly credit: unknown; readonly snapshots: boolean } | undefined;
  #passedOver = false;
  #done = false;

  constructor({ webSocket, socket, ring, onDrain }: Options) {
    this.webSocket = webSocket;
    this.#socket = socket;
    this.#ring = ring;
    socket.on('drain', onDrain);
  }

  /** Has said `attach`. */
  get attached(): boolean {
    return this.#asked !== undefined;
  }

  /** Cannot go on with bytes alone: `show` is next. Not before it has room, so that none is drawn for a frozen viewer. */
  get wantsSnapshot(): boolean {
    if (this.#asked?.snapshots !== true || this.#done) return false;
    if (this.#gate === undefined) return true;
    return this.#passedOver && this.#gate.roomBytes > 0 && this.#gate.sentOffset < this.#ring.start;
  }

  /** Output that it has not been sent, in bytes; 0 while it is passed over, because then nobody waits for it. */
  get lagBytes(): number {
    return this.#gate === undefined || this.#passedOver || this.#done ? 0 : this.#ring.end - this.#gate.sentOffset;
  }

  /** Takes part in flow control: the shell waits for it. */
  get holdsShell(): boolean {
    return this.#gate !== undefined && !this.#passedOver && !this.#done;
  }

  attach({ offset, credit, snapshots, watch }: Readonly<Record<string, unknown>>, size: Size): void {
    // Who only looks has none, and so never gives it one.
    this.size = watch === true ? undefined : size;
    this.#asked = { credit, snapshots: snapshots === true };
    if (!this.#asked.snapshots || isHeld(this.#ring, offset)) this.#startAt(offset, size);
  }

  /** Draws the screen; output follows. */
  show({ offset, bytes }: Snapshot, size: Size): void {
    this.#gate = new SendGate(this.#socket, offset, this.#asked?.credit);
    this.#passedOver = false;
    this.#say({ type: 'snapshot', offset, bytes: bytes.length, ...size });
    for (let start = 0; start < bytes.length; start += maxFrameBytes) {
      this.webSocket.send(bytes.subarray(start, start + maxFrameBytes));
    }
  }

  acknowledge(offset: unknown): void {
    this.#gate?.acknowledge(offset);
  }

  /** Stops waiting for it. It goes on where it can once it has room again, told what it missed. */
  passOver(): void {
    this.#passedOver = true;
  }

  /** Sends what it has room for. */
  send(size: Size): void {
    const gate = this.#gate;
    if (gate === undefined || this.#done || gate.roomBytes === 0 || this.wantsSnapshot) return;
    if (this.#passedOver) {
      this.#passedOver = false;
      if (gate.sentOffset < this.#ring.start) {
        this.#startAt(gate.sentOffset, size);
        return;
      }
    }
    while (gate.sentOffset < this.#ring.end) {
      const bytes = Math.min(this.#ring.end - gate.sentOffset, maxFrameBytes, gate.roomBytes);
      if (bytes === 0) return;
      const from = gate.sentOffset;
      gate.send(bytes);
      const buffer = spareFrames.pop() ?? Buffer.allocUnsafeSlow(maxFrameBytes);
      this.webSocket.send(this.#ring.copyInto(buffer, from, from + bytes), () => {
        if (spareFrames.length < maxSpareFrames) spareFrames.push(buffer);
      });
    }
  }

  /** The last word, once all output is sent. True when it has been said. */
  finish(exit: TerminalMessage): boolean {
    if (this.#done || this.#gate === undefined || this.#passedOver) return this.#done;
    if (this.#gate.sentOffset < this.#ring.end) return false;
    this.#done = true;
    this.#say(exit);
    this.webSocket.close(closeCode.normal);
    return true;
  }

  #startAt(asked: unknown, size: Size): void {
    const { offset, missed, reset, from } = replayStart(this.#ring, asked);
    this.#gate = new SendGate(this.#socket, offset, this.#asked?.credit);
    this.#passedOver = false;
    this.#say({ type: 'attached', offset, missed, ...size });
    if (reset) {
      this.webSocket.send(Buffer.from(replayReset, 'latin1'));
      this.#gate.send(from - offset);
    }
    this.send(size);
  }

  #say(message: TerminalMessage): void {
    this.webSocket.send(JSON.stringify(message));
  }
}
