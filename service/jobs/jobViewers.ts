import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { SpoonError } from '../../protocol/errors.ts';
import type { JobLogMessage } from '../../protocol/jobs.ts';
import {
  deadAfterMs,
  maxControlBytes,
  maxFrameBytes,
  maxJobViewersPerUser,
  pingIntervalMs,
} from '../../protocol/limits.ts';
import { CreditWindow, closeCode, parseControl } from '../../protocol/terminalFrames.ts';
import { socketProtocol } from '../../protocol/version.ts';
import type { StoredJob } from './jobRecords.ts';
import type { JobRunner } from './jobRunner.ts';
import { cut, type LogReader, type Part } from './keptLog.ts';

interface Viewer {
  readonly socket: WebSocket;
  readonly tokenId: string;
  readonly userId: string;
  heardMs: number;
  /** Undefined until it said where it wants to begin. */
  window: CreditWindow | undefined;
  /** Of the socket, its messages and its end. */
  changed: PromiseWithResolvers<void>;
}

export interface JobViewersParts {
  readonly runner: JobRunner;
  /** @throws SpoonError `not-found` */
  readonly find: (userId: string, id: string) => Promise<StoredJob>;
  readonly storedLog: (job: StoredJob) => LogReader;
  readonly onError: (error: unknown, userId: string) => void;
}

/** A socket that has so much unsent is left alone until it has sent it. */
const maxUnsentBytes = 4 * maxFrameBytes;

/**
 * Who follows the logs of jobs. Each viewer reads at its own pace, from memory or from the store, so that none waits for another and
 * the agent waits for none.
 */
export class JobViewers {
  readonly #parts: JobViewersParts;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxControlBytes,
    perMessageDeflate: false,
    // Only the version is echoed; the ticket beside it never is.
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
  });
  readonly #viewers = new Set<Viewer>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor(parts: JobViewersParts) {
    this.#parts = parts;
    this.#heartbeat = setInterval(() => this.#checkHearts(), pingIntervalMs);
    this.#heartbeat.unref();
  }

  /** @throws SpoonError `too-many-requests` */
  accept(
    { userId, tokenId }: { userId: string; tokenId: string },
    jobId: string,
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): void {
    const own = [...this.#viewers].filter((viewer) => viewer.userId === userId);
    if (own.length >= maxJobViewersPerUser) {
      throw new SpoonError('too-many-requests', 'Too many windows follow jobs.', { extra: { retryAfterSeconds: 60 } });
    }
    this.#server.handleUpgrade(request, socket, head, (accepted) => {
      const viewer = this.#add({ userId, tokenId }, accepted);
      this.#show(viewer, jobId).catch((error: unknown) => {
        if (!(error instanceof SpoonError && error.code === 'not-found')) this.#parts.onError(error, userId);
        const isGone = error instanceof SpoonError && error.code === 'not-found';
        close(accepted, isGone ? closeCode.ended : closeCode.internalError, isGone ? 'no such job' : 'failed');
      });
    });
  }

  closeThoseOf(tokenId: string): void {
    for (const viewer of this.#viewers) {
      if (viewer.tokenId === tokenId) close(viewer.socket, closeCode.revoked, 'revoked');
    }
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const { socket } of this.#viewers) close(socket, closeCode.serviceRestart, 'the service is stopping');
  }

  #add({ userId, tokenId }: { userId: string; tokenId: string }, socket: WebSocket): Viewer {
    const viewer: Viewer = {
      socket,
      tokenId,
      userId,
      heardMs: performance.now(),
      window: undefined,
      changed: Promise.withResolvers(),
    };
    this.#viewers.add(viewer);
    socket.on('close', () => {
      this.#viewers.delete(viewer);
      wake(viewer);
    });
    // ws closes the socket itself after a broken frame, with the right code; 'close' follows.
    socket.on('error', () => {});
    socket.on('pong', () => {
      viewer.heardMs = performance.now();
    });
    socket.on('message', (data: Buffer, isBinary) => {
      viewer.heardMs = performance.now();
      if (isBinary || !hear(viewer, data.toString('utf8')))
        close(socket, closeCode.badMessage, 'not a message of a viewer');
      wake(viewer);
    });
    return viewer;
  }

  async #show(viewer: Viewer, jobId: string): Promise<void> {
    const { runner, find, storedLog } = this.#parts;
    const { socket, userId } = viewer;
    await find(userId, jobId);
    let told = '';
    let expected = -1;
    while (socket.readyState === socket.OPEN) {
      // Before anything is looked at: what changes meanwhile is seen in the next round.
      const active = runner.active(jobId);
      const changed = Promise.race([viewer.changed.promise, ...(active === undefined ? [] : [active.log.changed])]);
      const stored = active?.stored ?? (await find(userId, jobId));
      const job = runner.describe(stored);
      const news = JSON.stringify({ ...job, outputBytes: 0 });
      if (news !== told) say(socket, { type: 'job', job });
      told = news;
      const { window } = viewer;
      if (window === undefined || window.room <= 0) {
        await changed;
        continue;
      }
      const part = await (active?.log ?? storedLog(stored)).read(window.sentOffset);
      if (part !== undefined) {
        expected = await send(socket, window, { part, expected });
      } else if (active === undefined) {
        say(socket, { type: 'end', job });
        close(socket, closeCode.normal, 'the job has ended');
        return;
      } else await changed;
    }
  }

  #checkHearts(): void {
    for (const { socket, heardMs } of this.#viewers) {
      if (performance.now() - heardMs > deadAfterMs) socket.terminate();
      else socket.ping();
    }
  }
}

/** False for what no viewer says, or says out of turn. */
function hear(viewer: Viewer, text: string): boolean {
  let message: ReturnType<typeof parseControl>;
  try {
    message = parseControl(text);
  } catch (error) {
    if (error instanceof SpoonError) return false;
    throw error;
  }
  if (message.type === 'follow' && viewer.window === undefined) {
    const { offset, credit } = message;
    if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return false;
    viewer.window = new CreditWindow(offset, credit);
    return true;
  }
  if (message.type !== 'ack' || viewer.window === undefined) return false;
  viewer.window.acknowledge(message.offset);
  return true;
}

function wake(viewer: Viewer): void {
  viewer.changed.resolve();
  viewer.changed = Promise.withResolvers();
}

/**
 * The next frame; waits while too much is unsent.
 * @param expected the offset that the viewer takes the next byte for @returns the one after what was sent
 */
async function send(
  socket: WebSocket,
  window: CreditWindow,
  { part, expected }: { part: Part; expected: number },
): Promise<number> {
  const from = window.sentOffset;
  const { start, bytes } = cut(part, from, Math.min(maxFrameBytes, window.room));
  if (start !== expected) say(socket, { type: 'output', offset: start, omitted: start - from });
  // What is left out needs no acknowledgement.
  window.send(start - from);
  if (start > from) window.acknowledge(start);
  window.send(bytes.length);
  const { promise: taken, resolve } = Promise.withResolvers<void>();
  socket.send(bytes, () => resolve());
  if (socket.bufferedAmount > maxUnsentBytes) await taken;
  return start + bytes.length;
}

function say(socket: WebSocket, message: JobLogMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

/** A peer that does not answer the closing handshake is cut off soon after. */
function close(socket: WebSocket, code: number, reason: string): void {
  if (socket.readyState !== socket.OPEN) return;
  socket.close(code, reason);
  const cutOff = setTimeout(() => socket.terminate(), 2_000);
  cutOff.unref();
  socket.once('close', () => clearTimeout(cutOff));
}
