import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** One request, as a route sees it. */
export interface Incoming {
  /** The `:id` of the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: AsyncIterable<Uint8Array>;
  /** @throws SpoonError `json-invalid`, `body-too-large` */
  json(): Promise<unknown>;
}

export type Answer = { readonly json: unknown } | { readonly bytes: Uint8Array } | undefined;

export interface BoxdRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/v1/stat`, `/v1/terminals/:id` */
  readonly path: string;
  handle(incoming: Incoming): Answer | Promise<Answer>;
}

export interface BoxdUpgrade {
  readonly path: string;
  /**
   * Who will talk on the WebSocket. `socket` is what it rides on: its buffer tells how far a viewer is behind.
   * @throws SpoonError `not-found`
   */
  accept(id: string): (webSocket: WebSocket, socket: Duplex) => void;
}
