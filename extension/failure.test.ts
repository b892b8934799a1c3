import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, SpoonError } from '../protocol/errors.ts';
import { asPlainText, describeFailure } from './failure.ts';

describe('describeFailure', () => {
  it('says nothing of what was cancelled', () => {
    assert.equal(describeFailure(new DOMException('stop', 'AbortError')), undefined);
  });

  it('hides what a bug says and names the log', () => {
    const failure = describeFailure(new TypeError("Cannot read properties of undefined (reading 'x')"));
    assert.doesNotMatch(failure?.message ?? '', /undefined/);
    assert.deepEqual(failure?.remedies, ['Show Log']);
  });

  const table: [ErrorCode, readonly string[]][] = [
    ['unauthenticated', ['Sign In']],
    ['token-expired', ['Sign In']],
    ['service-unreachable', ['Retry', 'Show Log']],
    ['service-incompatible', ['Check for Updates', 'Show Log']],
    ['integrity-failure', ['Show Log']],
    ['version-stale', []],
  ];
  for (const [code, remedies] of table) {
    it(`offers ${remedies.join(', ') || 'nothing'} for ${code}`, () => {
      assert.deepEqual(describeFailure(new SpoonError(code))?.remedies, remedies);
    });
  }

  it('has a sentence for every code', () => {
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      assert.match(describeFailure(new SpoonError(code))?.message ?? '', /\.$/);
    }
  });
});

describe('asPlainText', () => {
  it('takes links and control characters for text', () => {
    assert.equal(
      asPlainText('a\n[click](command:workbench.action.quit)\u001b'),
      'a [click] (command:workbench.action.quit) ',
    );
  });

  it('shortens what nobody would read', () => assert.ok(asPlainText('x'.repeat(10_000)).length < 700));
});
