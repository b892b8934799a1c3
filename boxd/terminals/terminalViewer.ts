import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { maxFrameBytes } from '../../protocol/limits.ts';
import { CreditWindow, closeCode, type TerminalMessage } from '../../protocol/terminalFrames.ts';
import type { ByteRing } from './byteRing.ts';
import { replayReset, replayStart } from './replayStart.ts';

/** What may wait in one viewer's socket; beyond it the viewer counts as behind, whatever its credit says. */
const maxSocketBytes = 1024 * 1024;

interface Options {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly ring: ByteRing;
  /** The socket has taken all that waited. */
  readonly onDrain: () => void;
}

/**
 * One viewer of a terminal: an offset into the terminal's ring, and how far beyond it may be sent. Nothing is queued for
 * it but what its socket holds.
 */
export class TerminalViewer {
  readonly webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #ring: ByteRing;
  #window: CreditWindow | undefined;
  #credit: unknown;
  #waiting = false;
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
    return this.#window !== undefined;
  }

  /** Output that it has not been sent, in bytes; 0 while it is passed over, because then nobody waits for it. */
  get lagBytes(): number {
    return this.#window === undefined || this.#passedOver || this.#done ? 0 : this.#ring.end - this.#window.sentOffset;
  }

  /** Takes part in flow control: the shell waits for it. */
  get holdsShell(): boolean {
    return this.#window !== undefined && !this.#passedOver && !this.#done;
  }

  attach({
    offset,
    credit,
    size,
  }: {
    offset: unknown;
    credit: unknown;
    size: { columns: number; rows: number };
  }): void {
    this.#credit = credit;
    this.#startAt(offset, size);
  }

  acknowledge(offset: unknown): void {
    this.#window?.acknowledge(offset);
  }

  /** Stops waiting for it. It goes on where it can once it has room again, told what it missed. */
  passOver(): void {
    this.#passedOver = true;
  }

  /** Sends what it has room for. @param fresh the newest bytes of the ring, to spare a copy where they are all there is */
  send(size: { columns: number; rows: number }, fresh?: Buffer): void {
    const window = this.#window;
    if (window === undefined || this.#done || !this.#hasRoom(window)) return;
    if (this.#passedOver) {
      this.#passedOver = false;
      if (window.sentOffset < this.#ring.start) {
        this.#startAt(window.sentOffset, size);
        return;
      }
    }
    while (window.sentOffset < this.#ring.end) {
      const bytes = Math.min(this.#ring.end - window.sentOffset, maxFrameBytes, Math.max(0, window.room));
      if (bytes === 0 || this.#socket.writableLength > maxSocketBytes) {
        this.#waiting = true;
        return;
      }
      const from = window.sentOffset;
      const whole = fresh !== undefined && fresh.length === bytes && from + bytes === this.#ring.end;
      window.send(bytes);
      this.webSocket.send(whole ? fresh : this.#ring.copy(from, from + bytes));
    }
  }

  /** The last word, once all output is sent. True when it has been said. */
  finish(exit: TerminalMessage): boolean {
    if (this.#done || this.#window === undefined || this.#passedOver) return this.#done;
    if (this.#window.sentOffset < this.#ring.end) return false;
    this.#done = true;
    this.#say(exit);
    this.webSocket.close(closeCode.normal);
    return true;
  }

  /** Half of the window and an empty socket, once it had to wait: runs and not drips. */
  #hasRoom(window: CreditWindow): boolean {
    if (this.#waiting && (!window.mayResume || this.#socket.writableLength > maxSocketBytes / 2)) return false;
    this.#waiting = false;
    return true;
  }

  #startAt(asked: unknown, size: { columns: number; rows: number }): void {
    const { offset, missed, reset, from } = replayStart(this.#ring, asked);
    this.#window = new CreditWindow(offset, this.#credit);
    this.#waiting = false;
    this.#passedOver = false;
    this.#say({ type: 'attached', offset, missed, ...size });
    if (reset) {
      this.webSocket.send(Buffer.from(replayReset, 'latin1'));
      this.#window.send(from - offset);
    }
    this.send(size);
  }

  #say(message: TerminalMessage): void {
    this.webSocket.send(JSON.stringify(message));
  }
}
