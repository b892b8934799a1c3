import { SpoonError } from '../protocol/errors.ts';
import { maxFrameBytes, viewerCreditBytes } from '../protocol/limits.ts';
import { parseControl, type ViewerMessage } from '../protocol/terminalFrames.ts';
import { clampSize, type OpenTerminalRequest } from '../protocol/terminals.ts';
import type { ApiClient } from './apiClient.ts';
import { ReconnectingSocket, type Timing } from './reconnectingSocket.ts';
import type { Ending, ReconnectState } from './reconnectRules.ts';
import type { OpenSocket } from './socket.ts';
import { endingOf } from './terminalEnding.ts';
import { parseTerminalMessage, type TerminalExit } from './terminalMessages.ts';
import { ownTerminal, sharedTerminal, type TerminalWay } from './terminalWay.ts';

/** Opening starts the box where it is off, which includes writing the whole overlay. */
const openTimeoutMs = 180_000;
/** What may be typed before the first prompt is there. */
const maxEarlyInputBytes = 64 * 1024;

export type TerminalState =
  | { readonly name: 'connecting' }
  /** Output follows. `resumed`: it goes on where this viewer was. */
  | { readonly name: 'attached'; readonly resumed: boolean }
  /** While away, more was printed than is kept: `bytes` are gone for good. `attached` follows. Only with an old box. */
  | { readonly name: 'missed'; readonly bytes: number }
  /** The whole screen and the lines above it follow as output: empty the terminal and set it back first. */
  | { readonly name: 'redraw' }
  /** Connected, but the box does not answer: what is typed gets there once it does. Ends with `answering`, or the connection. */
  | { readonly name: 'silent' }
  | { readonly name: 'answering' }
  /** The connection is lost and the terminal runs on; the next attempt is in `delayMs`. */
  | { readonly name: 'reconnecting'; readonly delayMs: number }
  /** No more attempts (signed out, refused), though the terminal may still run: `retry` tries again. */
  | { readonly name: 'disconnected'; readonly error: SpoonError }
  /** The shell is gone; `error` says why where it did not exit by itself. */
  | { readonly name: 'ended'; readonly exit?: TerminalExit; readonly error?: SpoonError };

export interface TerminalPlace {
  readonly api: ApiClient;
  readonly openSocket: OpenSocket;
  readonly timing?: Timing | undefined;
}

export interface TerminalViewer {
  readonly columns: number;
  readonly rows: number;
  /** How much may be on its way and not yet acknowledged; default 256 KiB. */
  readonly creditBytes?: number;
  /** Bytes as they come, `endOffset` after the last of them: give that to `acknowledge` once they are shown. */
  readonly onOutput: (bytes: Uint8Array, endOffset: number) => void;
  readonly onState: (state: TerminalState) => void;
}

/**
 * One viewer of one terminal. Knows no UI: bytes out, bytes in, size, and what became of the connection, which it brings
 * back by itself. It attaches only to what runs: a box that was stopped stays stopped, whatever is tried.
 */
export class TerminalSession {
  readonly id: string;
  /** What the person should know about the opening, such as a folder that was missing. Text of the service: not trusted. */
  readonly notes: readonly string[];
  readonly #viewer: TerminalViewer;
  readonly #creditBytes: number;
  readonly #place: TerminalPlace;
  readonly #socket: ReconnectingSocket;
  #size: { columns: number; rows: number };
  /** Where the next output byte goes; undefined until the first attachment of a terminal that others had opened. */
  #offset: number | undefined;
  /** Bytes to drop because they came before the connection was lost. */
  #repeatedBytes = 0;
  /** Still to come of a snapshot: they draw, and are no output that counts. */
  #snapshotBytes = 0;
  #sentAckOffset = 0;
  #attached = false;
  #everAttached = false;
  #over = false;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;

  private constructor(
    place: TerminalPlace,
    viewer: TerminalViewer,
    terminal: { way: TerminalWay; notes: readonly string[]; ticket?: string; offset?: number },
  ) {
    const { way } = terminal;
    this.id = way.id;
    this.notes = terminal.notes;
    this.#place = place;
    this.#viewer = viewer;
    this.#creditBytes = viewer.creditBytes ?? viewerCreditBytes;
    this.#size = clampSize(viewer);
    this.#offset = terminal.offset;
    let firstTicket = terminal.ticket;
    this.#socket = new ReconnectingSocket({
      target: async (signal) => {
        const ticket = firstTicket ?? (await way.ticket(signal));
        firstTicket = undefined;
        return { url: way.url, ticket };
      },
      openSocket: place.openSocket,
      timing: place.timing,
      onMessage: (data) => this.#receive(data),
      onState: (state) => this.#followSocket(state),
    });
    this.#socket.connect();
  }

  /**
   * Opens a new terminal, starting the box where it is off.
   * @throws SpoonError what the service refuses it with
   */
  static async open(
    place: TerminalPlace,
    request: Omit<OpenTerminalRequest, 'columns' | 'rows'>,
    viewer: TerminalViewer,
    signal?: AbortSignal,
  ): Promise<TerminalSession> {
    viewer.onState({ name: 'connecting' });
    const body = { ...request, ...clampSize(viewer) };
    const opened = await place.api.call('openTerminal', { body, signal, timeoutMs: openTimeoutMs });
    const { terminal, ticket, notes } = opened;
    return new TerminalSession(place, viewer, { way: ownTerminal(place.api, terminal.id), notes, ticket, offset: 0 });
  }

  /** Views a terminal that runs; first what is kept of its output, then what comes. */
  static attach(place: TerminalPlace, id: string, viewer: TerminalViewer): TerminalSession {
    viewer.onState({ name: 'connecting' });
    return new TerminalSession(place, viewer, { way: ownTerminal(place.api, id), notes: [] });
  }

  /** As {@link attach}, by a share of somebody else's. */
  static watch(place: TerminalPlace, shareId: string, viewer: TerminalViewer): TerminalSession {
    viewer.onState({ name: 'connecting' });
    return new TerminalSession(place, viewer, { way: sharedTerminal(place.api, shareId), notes: [] });
  }

  /**
   * Types. Kept until the first prompt is there (64 KiB); later, without a connection, nothing is kept: keys that arrive
   * minutes after they were pressed do harm.
   * @returns false when it was dropped
   */
  write(bytes: Uint8Array): boolean {
    if (this.#attached) {
      for (let start = 0; start < bytes.length; start += maxFrameBytes) {
        this.#socket.send(bytes.subarray(start, start + maxFrameBytes));
      }
      return true;
    }
    if (this.#everAttached || this.#over || this.#earlyBytes + bytes.length > maxEarlyInputBytes) return false;
    this.#early.push(bytes.slice());
    this.#earlyBytes += bytes.length;
    return true;
  }

  resize(columns: number, rows: number): void {
    this.#size = clampSize({ columns, rows });
    if (this.#attached) this.#send({ type: 'resize', ...this.#size });
  }

  /** Everything before `offset` has been shown. Sent on in steps of a quarter of the credit. */
  acknowledge(offset: number): void {
    if (!this.#attached || offset - this.#sentAckOffset < this.#creditBytes / 4) return;
    this.#sentAckOffset = offset;
    this.#send({ type: 'ack', offset });
  }

  /** Tries at once: while it waits for the next attempt, or after it gave up. */
  retry(): void {
    if (!this.#over) this.#socket.connect();
  }

  /** See {@link ReconnectingSocket.renew}. */
  renew(): void {
    if (!this.#over) this.#socket.renew();
  }

  /** Stops viewing; the terminal runs on. No callback comes afterwards. */
  detach(): void {
    this.#over = true;
    this.#attached = false;
    this.#socket.close();
  }

  /** Ends the terminal and everything it started. */
  async end(signal?: AbortSignal): Promise<void> {
    await this.#place.api.call('closeTerminal', { params: { id: this.id }, signal });
  }

  #send(message: ViewerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  #followSocket(state: ReconnectState): void {
    this.#attached = false;
    if (this.#over) return;
    if (state.name === 'connected') {
      const offset = this.#offset === undefined ? {} : { offset: this.#offset };
      this.#send({ type: 'attach', ...this.#size, credit: this.#creditBytes, snapshots: true, ...offset });
    } else if (state.name === 'awaitingRetry') {
      this.#viewer.onState({ name: 'reconnecting', delayMs: state.delayMs });
    } else if (state.name === 'disconnected') {
      this.#giveUp(state.ending);
    }
  }

  #giveUp(ending: Ending): void {
    if (ending.by === 'caller') return;
    const { error, isOver } = endingOf(ending);
    if (isOver) this.#finish({ name: 'ended', error });
    else this.#viewer.onState({ name: 'disconnected', error });
  }

  #finish(state: TerminalState): void {
    this.detach();
    this.#viewer.onState(state);
  }

  #receive(data: Uint8Array | string): void {
    if (this.#over) return;
    try {
      if (typeof data === 'string') this.#control(data);
      else this.#output(data);
    } catch (error) {
      if (!(error instanceof SpoonError)) throw error;
      this.#socket.close();
      this.#viewer.onState({ name: 'disconnected', error });
    }
  }

  #control(text: string): void {
    const message = parseTerminalMessage(parseControl(text));
    if (message?.type === 'exit') {
      const { code, signal, ranMs } = message;
      this.#finish({ name: 'ended', exit: { code, signal, ranMs } });
    } else if (message?.type === 'attached') {
      this.#resumeAt(message.offset);
    } else if (message?.type === 'snapshot') {
      this.#repeatedBytes = 0;
      this.#snapshotBytes = message.bytes;
      this.#viewer.onState({ name: 'redraw' });
      this.#startAt(message.offset);
    } else if (message !== undefined && this.#attached) {
      this.#viewer.onState({ name: message.type === 'boxSilent' ? 'silent' : 'answering' });
    }
  }

  #resumeAt(offset: number): void {
    const expected = this.#offset ?? offset;
    this.#repeatedBytes = Math.max(0, expected - offset);
    this.#snapshotBytes = 0;
    if (this.#everAttached && offset > expected) this.#viewer.onState({ name: 'missed', bytes: offset - expected });
    this.#startAt(Math.max(offset, expected));
  }

  #startAt(offset: number): void {
    const resumed = this.#everAttached;
    this.#offset = offset;
    this.#sentAckOffset = offset;
    this.#attached = true;
    this.#everAttached = true;
    this.#viewer.onState({ name: 'attached', resumed });
    for (const bytes of this.#early.splice(0)) this.write(bytes);
  }

  #output(data: Uint8Array): void {
    if (!this.#attached || this.#offset === undefined) {
      throw new SpoonError('box-misbehaved', 'Output came before it was asked for.');
    }
    if (this.#snapshotBytes > 0) {
      if (data.length > this.#snapshotBytes)
        throw new SpoonError('box-misbehaved', 'A snapshot is longer than it said.');
      this.#snapshotBytes -= data.length;
      this.#viewer.onOutput(data, this.#offset);
      return;
    }
    const repeated = Math.min(this.#repeatedBytes, data.length);
    this.#repeatedBytes -= repeated;
    const bytes = data.subarray(repeated);
    if (bytes.length === 0) return;
    this.#offset += bytes.length;
    this.#viewer.onOutput(bytes, this.#offset);
  }
}
