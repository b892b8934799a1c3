import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type ErrorCode, errorTable, SpoonError } from '../../protocol/errors.ts';
import { type Problem, problemMediaType, toProblem } from '../../protocol/problem.ts';

/** The one place that turns an error into an answer: RFC 9457, no stack, no path of the host, no SQL. */

/** A request that does not follow its schema, with a JSON pointer (RFC 6901) to each fault. */
export class InvalidInput extends SpoonError {
  readonly errors: readonly { pointer: string; detail: string }[];

  constructor(
    code: 'request-invalid' | 'unknown-field',
    errors: readonly { pointer: string; detail: string }[],
    detail?: string,
  ) {
    super(code, detail);
    this.errors = errors;
  }
}

/** What fastify and Node's parser report, as ours. Their texts quote the request, so none of them is passed on. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'http-invalid',
  FST_ERR_BAD_URL: 'invalid-encoding',
  FST_ERR_MAX_PARAM_LENGTH: 'not-found',
  ECONNRESET: 'http-invalid',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_INVALID_METHOD: 'method-not-allowed',
};

/** Anything unknown is a bug or a failure of the machine: `internal-error`, with the cause for the log. */
export function asSpoonError(error: unknown): SpoonError {
  if (error instanceof SpoonError) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const known = frameworkCodes[code];
  return known === undefined ? new SpoonError('internal-error', undefined, { cause: error }) : new SpoonError(known);
}

export function sendProblem(reply: FastifyReply, error: SpoonError): FastifyReply {
  // The serializer stands in for that of the route's own answer, which has another form.
  return reply
    .code(error.status)
    .headers(headersOf(error))
    .type(problemMediaType)
    .serializer(JSON.stringify)
    .send(problemOf(error, reply.request.id));
}

/** For connections that have no reply: parser errors and refused upgrades. The connection ends with it. */
export function rawProblem(error: SpoonError, requestId?: string): string {
  const body = JSON.stringify(problemOf(error, requestId));
  const headers = {
    ...headersOf(error),
    ...securityHeaders,
    'content-type': problemMediaType,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`;
}

/** On every answer: nothing of it is a page, nothing of it may be kept by a cache. */
export const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

function problemOf(error: SpoonError, requestId?: string): Problem {
  const problem = toProblem(error, requestId);
  return error instanceof InvalidInput ? { ...problem, errors: [...error.errors] } : problem;
}

/** `allow` and `retryAfterSeconds` of {@link SpoonError.extra} are headers too (RFC 9110 sections 10.2.1, 10.2.3). */
function headersOf(error: SpoonError): Record<string, string> {
  const headers: Record<string, string> = {};
  const { allow, retryAfterSeconds } = error.extra;
  if (allow !== undefined) headers.allow = String(allow);
  else if (error.code === 'method-not-allowed') headers.allow = 'GET, POST, PUT, DELETE';
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  else if (error.status === 503) headers['retry-after'] = '2';
  if (error.status === errorTable.unauthenticated.status) headers['www-authenticate'] = 'Bearer';
  if (error.code === 'upgrade-required') headers.upgrade = 'websocket';
  return headers;
}
