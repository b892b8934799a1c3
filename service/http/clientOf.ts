import type { FastifyRequest } from 'fastify';
import { clientIdHeader } from '../../protocol/events.ts';

const clientIdPattern = /^[\w.:-]{1,128}$/;

/** Which window asks, so that it can skip its own echo among the events. */
export function clientOf(request: FastifyRequest): string | null {
  const value = request.headers[clientIdHeader];
  return typeof value === 'string' && clientIdPattern.test(value) ? value : null;
}
