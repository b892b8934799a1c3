import type { ReconnectState } from '../../client/reconnectRules.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { closeCode } from '../../protocol/terminalFrames.ts';

/** How it stands between this window and the service, as a person sees it. No VS Code in here. */
export type ConnectionState =
  | { readonly name: 'connecting' }
  | { readonly name: 'connected' }
  /** Tries again by itself. `error` says why, once that is known. */
  | { readonly name: 'offline'; readonly error?: SpoonError }
  /** One of the two sides must be updated; tries again only when asked. */
  | { readonly name: 'incompatible'; readonly error: SpoonError }
  /** The service does not take the token; only a new sign-in helps. */
  | { readonly name: 'refused'; readonly error: SpoonError };

/** What the state of the event stream means; undefined where it changes nothing. */
export function stateAfter(current: ConnectionState, socket: ReconnectState): ConnectionState | undefined {
  switch (socket.name) {
    case 'idle':
      return undefined;
    case 'connecting':
      // While it is offline, each new try would only make the status flicker.
      return current.name === 'offline' ? undefined : { name: 'connecting' };
    case 'connected':
      return { name: 'connected' };
    case 'awaitingRetry':
      return current.name === 'offline' ? undefined : { name: 'offline' };
    case 'disconnected':
      if (socket.ending.by === 'caller') return undefined;
      if (socket.ending.by === 'refusal') return stateForFailure(socket.ending.error);
      return socket.ending.code === closeCode.revoked
        ? { name: 'refused', error: new SpoonError('unauthenticated', 'The token was revoked.') }
        : {
            name: 'offline',
            error: new SpoonError('service-unreachable', `The connection was ended (${socket.ending.code}).`),
          };
  }
}

export function stateForFailure(error: SpoonError): ConnectionState {
  if (error.code === 'service-incompatible') return { name: 'incompatible', error };
  if (error.code === 'unauthenticated' || error.code === 'token-expired') return { name: 'refused', error };
  return { name: 'offline', error };
}
