import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Check } from 'typebox/value';
import { type ErrorCode, errorTable, isErrorCode, SpoonError } from './errors.ts';
import { fromProblem, Problem, toProblem } from './problem.ts';

describe('problem documents', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    it(`carry ${code} to the other side and back`, () => {
      const error = new SpoonError(code, 'What to do.', { extra: { etag: '"v1-00000000"' } });
      const problem: unknown = JSON.parse(JSON.stringify(toProblem(error, 'req_1')));
      assert(Check(Problem, problem));
      const back = fromProblem(problem);
      assert.equal(back.code, code);
      assert.equal(back.status, error.status);
      assert.equal(back.detail, 'What to do.');
      assert.deepEqual(back.extra, { etag: '"v1-00000000"' });
    });
    it(`say ${code} in plain words`, () => {
      const { status, title } = errorTable[code];
      assert(status >= 400 && status <= 599);
      assert.match(title, /^[A-Z].*\.$/);
      assert.doesNotMatch(title, /!|sorry|unexpected|oops/i);
    });
  }

  it('of an unknown code become one of our own, with their title', () => {
    const error = fromProblem({ type: 'about:blank', title: 'Teapot.', status: 418, code: 'teapot' });
    assert.equal(error.code, 'service-answer-invalid');
    assert.equal(error.detail, 'Teapot.');
  });

  it('do not take names of the prototype for codes', () => {
    for (const name of ['constructor', '__proto__', 'toString', '', undefined, 1])
      assert.equal(isErrorCode(name), false);
  });
});
