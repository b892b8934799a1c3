import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { deadAfterMs, pingIntervalMs } from '../../protocol/limits.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';

/** Pings of the other side that are answered within one interval; a client has no reason for more than a few. */
const maxPingsPerInterval = 1_000;
const maxPongBacklogBytes = 64 * 1024;
const policyViolation = 1008;

/**
 * Finds out that a viewer is gone without a word (a closed laptop): ends the connection after 45 s without a sign of
 * life, so that its shell is not held for it. Answers pings, but not a flood of them, and not into a full socket.
 * @param attached false after the first interval: it never said what it wants
 * @returns stops watching
 */
export function watchLiveness(webSocket: WebSocket, socket: Duplex, attached: () => boolean): () => void {
  let aliveMs = performance.now();
  let pings = 0;
  webSocket.on('pong', () => {
    aliveMs = performance.now();
  });
  webSocket.on('message', () => {
    aliveMs = performance.now();
  });
  webSocket.on('ping', (data: Buffer) => {
    aliveMs = performance.now();
    if (++pings > maxPingsPerInterval) webSocket.close(policyViolation, 'Too many pings.');
    else if (socket.writableLength < maxPongBacklogBytes) webSocket.pong(data);
  });
  const timer = setInterval(() => {
    pings = 0;
    if (!attached()) webSocket.close(closeCode.badMessage, 'It never attached.');
    if (performance.now() - aliveMs > deadAfterMs) webSocket.terminate();
    else if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
  }, pingIntervalMs);
  return () => clearInterval(timer);
}
