import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import { deadAfterMs, maxFrameBytes, maxGuestViewersPerUser, pingIntervalMs } from '../../protocol/limits.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';
import { socketProtocol } from '../../protocol/version.ts';
import { guestControl } from './guestMessages.ts';
import type { StoredShare } from './shares.ts';

interface Guest {
  readonly share: StoredShare;
  readonly tokenId: string;
  readonly socket: WebSocket;
  heardMs: number;
}

export interface GuestViewersParts {
  /** @throws SpoonError `not-found` */
  readonly find: (guestId: string, shareId: string) => Promise<StoredShare>;
  /** The box's end, and the size that the terminal has. @throws SpoonError `not-found`, `box-stopped`, `box-…` */
  readonly open: (
    share: StoredShare,
  ) => Promise<{ readonly box: WebSocket; readonly size: { readonly columns: number; readonly rows: number } }>;
  readonly isBoxGone: (ownerId: string) => Promise<boolean>;
  /** Who watches has changed. */
  readonly onChange: (share: StoredShare) => void;
  readonly onError: (error: unknown, userId: string) => void;
  readonly now: () => number;
}

const lookEveryMs = 1_000;
/** A guest who does not read holds up the box and not the service's memory. */
const maxUnreadBytes = 1024 * 1024;

/**
 * Guests at others' terminals. Unlike an owner's, their messages are read, checked and made anew, in both directions: neither
 * side reaches more of the other than the one terminal.
 */
export class GuestViewers {
  readonly #parts: GuestViewersParts;
  readonly #guests = new Set<Guest>();
  readonly #timer: NodeJS.Timeout;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxFrameBytes,
    perMessageDeflate: false,
    // Only the version is echoed; the ticket beside it never is.
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
  });
  #pingedMs = performance.now();

  constructor(parts: GuestViewersParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref();
  }

  watchingOf(shareId: string): number {
    return [...this.#guests].filter(({ share }) => share.id === shareId).length;
  }

  /** @throws SpoonError `too-many-requests` */
  accept(
    { userId, tokenId }: { userId: string; tokenId: string },
    shareId: string,
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): void {
    const own = [...this.#guests].filter(({ share }) => share.guestId === userId);
    if (own.length >= maxGuestViewersPerUser) {
      throw new SpoonError('too-many-requests', 'You watch too many terminals.', { extra: { retryAfterSeconds: 60 } });
    }
    this.#server.handleUpgrade(request, socket, head, (accepted) => {
      // ws closes the socket itself after a broken frame, with the right code; 'close' follows.
      accepted.on('error', () => {});
      // What comes before the box is there waits in the socket.
      accepted.pause();
      this.#join({ userId, tokenId }, shareId, accepted).catch((error: unknown) => {
        const isGone = error instanceof SpoonError && (error.status === 404 || error.code === 'box-stopped');
        if (!isGone) this.#parts.onError(error, userId);
        end(accepted, isGone ? closeCode.ended : closeCode.internalError, isGone ? 'It has ended.' : 'It failed.');
      });
    });
  }

  /** Ends what was watched by way of this share. */
  closeShare(shareId: string): void {
    for (const { share, socket } of this.#guests) {
      if (share.id === shareId) end(socket, closeCode.unshared, 'It is no longer shared.');
    }
  }

  closeThoseOf(tokenId: string): void {
    for (const guest of this.#guests) {
      if (guest.tokenId === tokenId) end(guest.socket, closeCode.revoked, 'The token was revoked.');
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#guests) end(socket, closeCode.serviceRestart, 'The service restarts.');
  }

  async #join(who: { userId: string; tokenId: string }, shareId: string, socket: WebSocket): Promise<void> {
    const share = await this.#parts.find(who.userId, shareId);
    // Among those who can be closed before anything is awaited of the box.
    const guest: Guest = { share, tokenId: who.tokenId, socket, heardMs: performance.now() };
    this.#guests.add(guest);
    socket.on('close', () => {
      this.#guests.delete(guest);
      this.#parts.onChange(share);
    });
    this.#parts.onChange(share);
    const { box, size } = await this.#parts.open(share);
    if (socket.readyState !== socket.OPEN) {
      box.terminate();
      return;
    }
    socket.on('pong', () => {
      guest.heardMs = performance.now();
    });
    this.#connect(guest, box, size);
    socket.resume();
  }

  #connect({ share, socket }: Guest, box: WebSocket, size: { columns: number; rows: number }): void {
    socket.on('message', (data: Buffer, isBinary) => {
      if (box.readyState !== box.OPEN) return;
      if (isBinary) {
        if (share.write) box.send(data);
        return;
      }
      try {
        const control = guestControl(data.toString('utf8'), { write: share.write, size });
        if (control !== undefined) box.send(control);
      } catch {
        end(socket, closeCode.badMessage, 'Not a message of a viewer.');
      }
    });
    box.on('message', (data: Buffer, isBinary) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > maxUnreadBytes) box.pause();
      socket.send(data, { binary: isBinary }, () => box.resume());
    });
    box.on('error', () => {});
    socket.on('close', () => box.terminate());
    box.on('close', (code) => void this.#boxLeft(share, socket, code));
  }

  async #boxLeft(share: StoredShare, socket: WebSocket, code: number): Promise<void> {
    if (socket.readyState !== socket.OPEN) return;
    if (code === closeCode.normal) end(socket, closeCode.normal, '');
    else if (code === closeCode.ended || code === closeCode.badMessage) end(socket, code, '');
    else {
      const isGone = await this.#parts.isBoxGone(share.ownerId).catch(() => false);
      // Otherwise it comes back by itself, as after a restart.
      end(socket, isGone ? closeCode.boxGone : closeCode.serviceRestart, isGone ? 'The box has ended.' : '');
    }
  }

  #look(): void {
    const isPing = performance.now() - this.#pingedMs >= pingIntervalMs;
    if (isPing) this.#pingedMs = performance.now();
    for (const { share, socket, heardMs } of this.#guests) {
      if (share.expiresMs <= this.#parts.now()) end(socket, closeCode.unshared, 'Its time is over.');
      else if (performance.now() - heardMs > deadAfterMs) socket.terminate();
      else if (isPing && socket.readyState === socket.OPEN) socket.ping();
    }
  }
}

/** A peer that does not answer the closing handshake is cut off soon after. */
function end(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  // A paused one would not see the answer.
  socket.resume();
  socket.close(code, reason);
  const cut = setTimeout(() => socket.terminate(), 2_000);
  cut.unref();
  socket.once('close', () => clearTimeout(cut));
}
