import type { FastifyReply } from 'fastify';

/** Fires when the client closes the connection before its answer: what was asked for is not wanted any more. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new DOMException('The client is gone.', 'AbortError'));
  });
  return controller.signal;
}
