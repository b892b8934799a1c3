import type { SpoonError } from '../protocol/errors.ts';
import { closeCode } from '../protocol/terminalFrames.ts';

/** How a connection comes back, as a pure reducer: no clock, no chance, no socket; those come in with the events. */

export const firstDelayMs = 250;
export const longestDelayMs = 30_000;
/** A connection that lived this long was a good one, so the next attempt starts from the first delay again. */
const stableAfterMs = 5_000;

/** Asking again would be answered the same: not signed in, not allowed, gone, a request or host that is refused. */
const finalStatuses = new Set([400, 401, 403, 404, 410, 421, 422, 426]);
/** RFC 6455 section 7.4.1: protocol error, data that cannot be accepted; then our own. */
const finalCloseCodes = new Set<number>([
  1002,
  1003,
  closeCode.revoked,
  closeCode.unshared,
  closeCode.ended,
  closeCode.badMessage,
  closeCode.boxGone,
]);

/** Why no more attempts are made: the caller's wish, a refusal, or how the other side closed. */
export type Ending =
  | { readonly by: 'caller' }
  | { readonly by: 'refusal'; readonly error: SpoonError }
  | { readonly by: 'close'; readonly code: number; readonly reason: string };

export type ReconnectState =
  | { readonly name: 'idle' }
  /** `attempt` counts from 0 and is what the delays grow with. */
  | { readonly name: 'connecting'; readonly attempt: number }
  | { readonly name: 'connected'; readonly attempt: number }
  | { readonly name: 'awaitingRetry'; readonly attempt: number; readonly delayMs: number }
  | { readonly name: 'disconnected'; readonly ending: Ending };

/** `jitter` is from 0 to below 1. */
export type ReconnectEvent =
  /** Somebody wants a connection now: the first one, or without waiting. */
  | { readonly type: 'connect' }
  | { readonly type: 'retryDue' }
  | { readonly type: 'opened' }
  /** The ticket, or the upgrade itself, was refused or not answered. */
  | { readonly type: 'refused'; readonly error: SpoonError; readonly jitter: number }
  | {
      readonly type: 'closed';
      readonly code: number;
      readonly reason: string;
      readonly openMs: number;
      readonly jitter: number;
    }
  | { readonly type: 'stop' };

export function nextReconnectState(state: ReconnectState, event: ReconnectEvent): ReconnectState {
  switch (event.type) {
    case 'connect':
      return state.name === 'connecting' || state.name === 'connected' ? state : { name: 'connecting', attempt: 0 };
    case 'retryDue':
      return state.name === 'awaitingRetry' ? { name: 'connecting', attempt: state.attempt } : state;
    case 'opened':
      return state.name === 'connecting' ? { name: 'connected', attempt: state.attempt } : state;
    case 'refused':
      if (state.name !== 'connecting') return state;
      if (isFinal(event.error)) return { name: 'disconnected', ending: { by: 'refusal', error: event.error } };
      return awaitRetry(state.attempt, event.jitter);
    case 'closed':
      if (state.name !== 'connected') return state;
      if (finalCloseCodes.has(event.code)) {
        return { name: 'disconnected', ending: { by: 'close', code: event.code, reason: event.reason } };
      }
      return awaitRetry(event.openMs >= stableAfterMs ? 0 : state.attempt, event.jitter);
    case 'stop':
      return state.name === 'disconnected' ? state : { name: 'disconnected', ending: { by: 'caller' } };
  }
}

/** A ticket that is too old or was forgotten by a restarted service (decision 9) is replaced; a stopped box stays stopped. */
function isFinal(error: SpoonError): boolean {
  if (error.code === 'ticket-invalid') return false;
  return finalStatuses.has(error.status) || error.code === 'box-stopped' || error.code === 'service-incompatible';
}

/** Between half and the whole of the doubled delay, so that a thousand clients of one service do not come back as one. */
function awaitRetry(attempt: number, jitter: number): ReconnectState {
  const fullMs = Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
  return { name: 'awaitingRetry', attempt: attempt + 1, delayMs: Math.round(fullMs * (1 - jitter / 2)) };
}
