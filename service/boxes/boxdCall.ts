import type { LinkRequest } from './boxdLink.ts';

/** One question to boxd. */
export interface BoxdCall {
  readonly method: LinkRequest['method'];
  readonly path: string;
  readonly body?: LinkRequest['body'];
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal | undefined;
}
