import type { Static, TSchema } from 'typebox';
import type { LinkRequest, LinkResponse } from './boxdLink.ts';

/** One question to boxd. */
export interface BoxdCall {
  readonly method: LinkRequest['method'];
  readonly path: string;
  readonly body?: LinkRequest['body'];
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How the parts of the client ask: answers checked against a schema, or raw. */
export interface BoxdCalls {
  json<T extends TSchema>(schema: T, call: BoxdCall): Promise<Static<T>>;
  call(call: BoxdCall): Promise<LinkResponse>;
}
