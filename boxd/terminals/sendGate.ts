import type { Duplex } from 'node:stream';
import { CreditWindow } from '../../protocol/terminalFrames.ts';

/** What may wait in one viewer's socket; beyond it the viewer counts as behind, whatever its credit says. */
const maxSocketBytes = 1024 * 1024;

/**
 * May more be sent to one viewer: has it credit, and does its socket take what it is given. Each of the two stops at its
 * own limit and goes on at half of it, so that a slow viewer gets runs and not drips, and neither waits for the other.
 */
export class SendGate {
  readonly #socket: Duplex;
  readonly #window: CreditWindow;
  #outOfCredit = false;
  #socketFull = false;

  /** @param credit what the viewer said; clamped */
  constructor(socket: Duplex, startOffset: number, credit: unknown) {
    this.#socket = socket;
    this.#window = new CreditWindow(startOffset, credit);
  }

  get sentOffset(): number {
    return this.#window.sentOffset;
  }

  /** Bytes that may be sent now; 0 while it must wait. */
  get roomBytes(): number {
    const backlog = this.#socket.writableLength;
    if (this.#window.room <= 0) this.#outOfCredit = true;
    else if (this.#window.mayResume) this.#outOfCredit = false;
    if (backlog > maxSocketBytes) this.#socketFull = true;
    else if (backlog <= maxSocketBytes / 2) this.#socketFull = false;
    return this.#outOfCredit || this.#socketFull ? 0 : this.#window.room;
  }

  send(bytes: number): void {
    this.#window.send(bytes);
  }

  acknowledge(offset: unknown): void {
    this.#window.acknowledge(offset);
  }
}
