import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { SpoonError } from '../protocol/errors.ts';
import { fromProblem, Problem, problemMediaType } from '../protocol/problem.ts';

/** A problem document is a few hundred bytes; a larger one would only become a wall of text in front of a person. */
const maxProblemBytes = 64 * 1024;
/** A proxy says these when the service behind it is away: worth another try, unlike an answer that makes no sense. */
const proxyAwayStatuses = new Set([502, 503, 504]);

/**
 * The body of a response, read no further than allowed.
 * @throws SpoonError `service-answer-invalid` for a longer one
 */
export async function readCapped(response: Response, maxBytes: number, host: string): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): SpoonError =>
    new SpoonError('service-answer-invalid', `${host} sent more than ${maxBytes} bytes; the rest was not read.`);
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw tooLarge();
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** @throws SpoonError `service-answer-invalid` for anything that is not JSON of this form */
export function checkJson<S extends TSchema>(
  schema: S,
  response: Response,
  bytes: Uint8Array,
  host: string,
): Static<S> {
  const refuse = (why: string, cause?: unknown): SpoonError =>
    new SpoonError('service-answer-invalid', `${host} ${why}. Check the address.`, { cause });
  if (!isJson(response)) throw refuse('answers with something other than JSON');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse('answers with JSON that is not whole', cause);
  }
  if (!Value.Check(schema, value)) throw refuse('answers in a form that Spoon does not know');
  return value;
}

/** The error that an unsuccessful response stands for. */
export async function refusal(response: Response, host: string): Promise<SpoonError> {
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel();
    // A redirect would take the token to whoever it names (bad-input row 102).
    return new SpoonError(
      'service-answer-invalid',
      `${host} redirects elsewhere; this is not followed. Check the address.`,
    );
  }
  const isProblem = response.headers.get('content-type')?.startsWith(problemMediaType) ?? false;
  const bytes = isProblem ? await readCapped(response, maxProblemBytes, host) : undefined;
  if (bytes !== undefined) return fromProblem(checkJson(Problem, response, bytes, host));
  await response.body?.cancel();
  if (proxyAwayStatuses.has(response.status)) {
    return new SpoonError('service-unreachable', `A proxy answers for ${host} with ${response.status}.`);
  }
  return new SpoonError('service-answer-invalid', `${host} answers with ${response.status}. Check the address.`);
}

function isJson(response: Response): boolean {
  return /^application\/([\w.-]+\+)?json\b/.test(response.headers.get('content-type') ?? '');
}
