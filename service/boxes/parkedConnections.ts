import type { Socket } from 'node:net';
import { SpoonError } from '../../protocol/errors.ts';

interface Waiter {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Connections that a box has dialled and that wait to be used. The box is hostile: it may park too many, speak out of
 * turn, or close at any moment; none of that may cost more than the connection itself.
 */
export class ParkedConnections {
  readonly #maxParked: number;
  readonly #parked: Socket[] = [];
  readonly #waiters: Waiter[] = [];
  #closed = false;

  constructor(maxParked: number) {
    this.#maxParked = maxParked;
  }

  get count(): number {
    return this.#parked.length;
  }

  /** Takes over a fresh connection: gives it to who waits longest, parks it, or closes it when enough are parked. */
  add(socket: Socket): void {
    // A reset of a parked connection is no news; whoever uses it later listens for itself.
    socket.on('error', () => undefined);
    this.#place(socket);
  }

  /**
   * The connection parked longest, or the next one dialled.
   * @throws SpoonError `box-unavailable` after `waitMs` without one, or when this is closed; the signal's reason
   */
  async take(waitMs: number, signal?: AbortSignal): Promise<Socket> {
    signal?.throwIfAborted();
    if (this.#closed) throw new SpoonError('box-unavailable', 'The box has been stopped.');
    for (let socket = this.#parked.shift(); socket !== undefined; socket = this.#parked.shift()) {
      socket.off('data', dropSpeaker);
      if (!socket.destroyed) return socket;
    }
    return this.#wait(waitMs, signal);
  }

  /** Resolves when one is parked, and leaves it there. Throws as {@link take}. */
  async whenParked(waitMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#parked.some((socket) => !socket.destroyed)) return;
    if (this.#closed) throw new SpoonError('box-unavailable', 'The box has been stopped.');
    this.#place(await this.#wait(waitMs, signal));
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#parked.splice(0)) socket.destroy();
    for (const waiter of this.#waiters.splice(0)) {
      waiter.reject(new SpoonError('box-unavailable', 'The box has been stopped.'));
    }
  }

  #place(socket: Socket): void {
    if (socket.destroyed) return;
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve(socket);
      return;
    }
    if (this.#closed || this.#parked.length >= this.#maxParked) {
      socket.destroy();
      return;
    }
    this.#parked.push(socket);
    // Reading while parked finds the end of a connection at once, and a box that speaks first.
    socket.on('data', dropSpeaker);
    socket.once('close', () => this.#forget(socket));
  }

  #wait(waitMs: number, signal: AbortSignal | undefined): Promise<Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    const waiter = { resolve, reject };
    this.#waiters.push(waiter);
    const giveUp = (error: unknown) => {
      const index = this.#waiters.indexOf(waiter);
      if (index !== -1) this.#waiters.splice(index, 1);
      reject(error);
    };
    const timer = setTimeout(
      () => giveUp(new SpoonError('box-unavailable', `It made no connection within ${waitMs} ms.`)),
      waitMs,
    );
    const onAbort = () => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  #forget(socket: Socket): void {
    const index = this.#parked.indexOf(socket);
    if (index !== -1) this.#parked.splice(index, 1);
  }
}

/** Whoever speaks before being asked is not boxd. */
function dropSpeaker(this: Socket): void {
  this.destroy();
}
