import { SpoonError } from './errors.ts';
import { maxControlBytes, maxCreditBytes } from './limits.ts';

/**
 * What rides on an attached WebSocket. Binary frames are bytes of the terminal (or, for a command, one channel byte and
 * bytes); text frames are JSON control messages. Offsets count the terminal's output bytes from its start.
 */

/**
 * From a viewer. `attach` must be the first; output starts after it. With `offset` it asks for what follows there, without
 * it for what there is. `snapshots`: it understands the message; to one that does not, boxd sends old bytes instead. `watch`: it only looks,
 * and its size is nobody's.
 */
export type ViewerMessage =
  | { type: 'attach'; columns: number; rows: number; credit: number; offset?: number; snapshots?: true; watch?: true }
  | { type: 'resize'; columns: number; rows: number }
  /** Everything before this offset has been shown; boxd may send `credit` bytes beyond it. */
  | { type: 'ack'; offset: number };

/** From boxd to a viewer of a terminal. */
export type TerminalMessage =
  /** The next binary frame starts at this offset. `missed` bytes before it are gone. */
  | { type: 'attached'; offset: number; missed: number; columns: number; rows: number }
  /**
   * In the place of `attached`, and again for a viewer that was passed over: the next `bytes` bytes are no output but what
   * draws the screen and the lines above it, in a terminal that was reset, as they were at `offset`. Output follows from
   * there. They do not count for offsets or credit.
   */
  | { type: 'snapshot'; offset: number; bytes: number; columns: number; rows: number }
  | { type: 'exit'; code: number; signal: string | null; ranMs: number };

/** From the service to a viewer of a terminal, whose box does not answer, or does again. */
export type SilenceMessage = { type: 'boxSilent' } | { type: 'boxAnswers' };

/** From the viewer of a command. */
export type CommandInput =
  | { type: 'start'; credit: number }
  | { type: 'stdinEnd' }
  | { type: 'ack'; offset: number }
  | { type: 'signal'; name: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT' | 'SIGKILL' };

/**
 * From boxd to the viewer of a command. `code` is 128 + n for signal n, 126 and 127 as a shell has them. `stdinAck`: everything
 * before this offset of the input has reached the command; the viewer may have `viewerCreditBytes` outstanding beyond it.
 * The viewer's `ack` counts what it consumed of both output channels together, without the channel bytes.
 */
export type CommandMessage =
  | { type: 'exit'; code: number; signal: string | null; detail?: string }
  | { type: 'stdinAck'; offset: number };

/** First byte of a binary frame of a command. */
export const commandChannel = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Close codes beside the standard ones (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications). */
export const closeCode = {
  normal: 1000,
  internalError: 1011,
  serviceRestart: 1012,
  badMessage: 4400,
  ended: 4004,
  boxGone: 4010,
  engineRestart: 4013,
  revoked: 4001,
  unshared: 4003,
} as const;

/** @throws SpoonError `request-invalid` for anything that is not an object with a string `type` */
export function parseControl(text: string): { type: string } & Record<string, unknown> {
  if (text.length > maxControlBytes) throw new SpoonError('request-invalid', 'The control message is too long.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SpoonError('request-invalid', 'A control message is not JSON.', { cause });
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    throw new SpoonError('request-invalid', 'A control message has no type.');
  }
  return value as { type: string } & Record<string, unknown>;
}

/**
 * How much a sender may still send to one receiver: the receiver grants `credit` bytes beyond what it acknowledged.
 * Numbers from the other side are clamped, never trusted.
 */
export class CreditWindow {
  #sent: number;
  #acknowledged: number;
  readonly #credit: number;

  constructor(startOffset: number, credit: unknown) {
    this.#sent = startOffset;
    this.#acknowledged = startOffset;
    this.#credit =
      typeof credit === 'number' && Number.isFinite(credit) ? Math.min(maxCreditBytes, Math.max(1024, credit)) : 1024;
  }

  /** Bytes that may be sent now; negative when the last chunk went over. */
  get room(): number {
    return this.#credit - (this.#sent - this.#acknowledged);
  }

  /** Sending resumes only when half of the window is free, so that a slow receiver gets runs and not drips. */
  get mayResume(): boolean {
    return this.room >= this.#credit / 2;
  }

  get sentOffset(): number {
    return this.#sent;
  }

  send(bytes: number): void {
    this.#sent += bytes;
  }

  acknowledge(offset: unknown): void {
    if (typeof offset !== 'number' || !Number.isFinite(offset)) return;
    this.#acknowledged = Math.min(this.#sent, Math.max(this.#acknowledged, offset));
  }
}
