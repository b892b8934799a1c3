import { type Static, Type } from 'typebox';
import { isErrorCode, SpoonError } from './errors.ts';

/** RFC 9457 `application/problem+json`, with `code` as the stable name. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
  /** The id of the request, also in the service's log. */
  instance: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
});
export type Problem = Static<typeof Problem>;

export const problemMediaType = 'application/problem+json';

export function toProblem(error: SpoonError, requestId?: string): Problem {
  return {
    type: `urn:spoon:problem:${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(requestId === undefined ? {} : { instance: requestId }),
    ...error.extra,
  };
}

/** The error that a problem document stands for; an unknown code becomes `service-answer-invalid`, with its title kept. */
export function fromProblem(problem: Problem): SpoonError {
  if (isErrorCode(problem.code)) {
    const extra: Record<string, string | number | boolean> = {};
    for (const [key, value] of Object.entries(problem)) {
      if (['type', 'title', 'status', 'code', 'detail', 'instance', 'errors'].includes(key)) continue;
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') extra[key] = value;
    }
    const detail = [problem.detail, ...(problem.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`)];
    const text = detail.filter(Boolean).join(' ');
    return new SpoonError(problem.code, text === '' ? undefined : text, { extra });
  }
  return new SpoonError('service-answer-invalid', problem.title);
}
