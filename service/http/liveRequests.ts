import type { ServerResponse } from 'node:http';
import { SpoonError } from '../../protocol/errors.ts';

/** Requests that have been let in and whose answer is not sent yet, by the token that they came with. */
export class LiveRequests {
  readonly #byToken = new Map<string, Set<ServerResponse>>();
  readonly #revoked = new WeakSet<ServerResponse>();

  /** From the moment on in which the token was found to be good. */
  add(tokenId: string, response: ServerResponse): void {
    if (response.closed) return;
    const own = this.#byToken.get(tokenId) ?? new Set();
    this.#byToken.set(tokenId, own.add(response));
    response.once('close', () => {
      own.delete(response);
      if (own.size === 0 && this.#byToken.get(tokenId) === own) this.#byToken.delete(tokenId);
    });
  }

  /** @throws SpoonError `unauthenticated` where the token was revoked since */
  requireLive(response: ServerResponse): void {
    if (this.#revoked.has(response)) throw new SpoonError('unauthenticated');
  }

  /** For a token that was revoked: an answer that is being sent ends here, and what waits is refused when it goes on. */
  endThoseOf(tokenId: string): void {
    for (const response of this.#byToken.get(tokenId) ?? []) {
      this.#revoked.add(response);
      if (response.headersSent) response.destroy();
    }
  }
}
