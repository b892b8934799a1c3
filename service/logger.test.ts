import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import { createLogger, type Logger } from './logger.ts';

function linesOf(work: (log: Logger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  work(createLogger({ write: (line: string) => lines.push(line) }));
  return lines.map((line) => {
    assert.equal(line.indexOf('\n'), line.length - 1, 'one line each');
    return JSON.parse(line) as Record<string, unknown>;
  });
}

describe('the log', () => {
  it('is one JSON line per event', () => {
    const [line] = linesOf((log) => log.info('request', { method: 'GET', status: 200 }));
    assert.equal(line?.event, 'request');
    assert.equal(line?.status, 200);
    assert.equal(line?.pid, undefined);
  });

  for (const [name, text] of [
    ['line breaks', 'GET\r\n{"event":"forged"}'],
    ['terminal escapes', '\u001b]0;title\u0007'],
    ['look-ups', '$' + '{jndi:ldap://x}'],
  ] as const) {
    it(`keeps ${name} inside their field`, () => {
      const [line, ...more] = linesOf((log) => log.info('request', { method: text }));
      assert.equal(line?.method, text);
      assert.equal(more.length, 0);
    });
  }

  it('cuts a megabyte to a kilobyte', () => {
    const [line] = linesOf((log) => log.info('request', { method: 'x'.repeat(2 ** 20) }));
    assert.ok(String(line?.method).length < 1100);
  });

  it('shows the code of an expected error and nothing of its text', () => {
    const [line] = linesOf((log) => log.failure('apply', new SpoonError('path-traversal', 'canary/path')));
    assert.equal(line?.code, 'path-traversal');
    assert.ok(!JSON.stringify(line).includes('canary'));
  });

  it('shows the stack of a bug', () => {
    const [line] = linesOf((log) => log.failure('request', new Error('broken')));
    assert.match(String(line?.stack), /Error: broken\n.*logger\.test/);
  });
});
