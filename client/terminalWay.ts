import type { ApiClient } from './apiClient.ts';
import { ticketTimeoutMs } from './reconnectingSocket.ts';

/** How a viewer comes to a terminal, again after each cut. */
export interface TerminalWay {
  /** Of the terminal, or of the share by which it is seen. */
  readonly id: string;
  readonly url: string;
  /** @throws SpoonError what the service refuses it with */
  readonly ticket: (signal: AbortSignal) => Promise<string>;
}

export function ownTerminal(api: ApiClient, id: string): TerminalWay {
  const body = { kind: 'terminal', id } as const;
  return {
    id,
    url: api.socketUrl('attachTerminal', { id }),
    ticket: async (signal) => (await api.call('createTicket', { body, signal, timeoutMs: ticketTimeoutMs })).ticket,
  };
}

/** Of somebody else, who shares it. */
export function sharedTerminal(api: ApiClient, id: string): TerminalWay {
  return {
    id,
    url: api.socketUrl('attachShare', { id }),
    ticket: async (signal) =>
      (await api.call('watchShare', { params: { id }, signal, timeoutMs: ticketTimeoutMs })).ticket,
  };
}
