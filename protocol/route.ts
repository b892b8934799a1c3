import type { TSchema } from 'typebox';
import type { RouteScope } from './scopes.ts';

/** One entry of the route table (`routes.ts`). */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly scope: RouteScope;
  readonly summary: string;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Absent: an empty 204, raw bytes, or a WebSocket. */
  readonly response?: TSchema;
  /** Bodies that are bytes and not JSON. `archive`: a request whose body is read as it comes. */
  readonly bytes?: 'request' | 'response' | 'archive';
  /** The body is that of an HTML form and not JSON. */
  readonly form?: true;
  /** The event under which it is written down before it is done (`audit.ts`); without that it is refused. */
  readonly audit?: string;
  /** The event under which it is written down afterwards, many requests in one entry, with the ids of what was changed. */
  readonly auditAfter?: 'dotfile.write' | 'dotfile.remove';
  /** Goes on when it cannot be written down. */
  readonly auditMayFail?: true;
  readonly upgrade?: true;
}
