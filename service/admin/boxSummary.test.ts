import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Box } from '../../protocol/boxes.ts';
import { toSummary } from './boxSummary.ts';

const box: Box = {
  state: 'running',
  engine: 'docker',
  username: 'ada',
  home: '/home/ada',
  startedMs: 1,
  holders: [
    { kind: 'viewer', id: 't1', label: 'CANARY vim plans.txt' },
    { kind: 'viewer', id: 't2', label: 'CANARY' },
    { kind: 'job', id: 'j1', label: 'CANARY/thread' },
  ],
  stopsAtMs: null,
  stages: [{ name: 'setup', state: 'failed', startedMs: 1, durationMs: 1, detail: 'CANARY output' }],
  detail: 'CANARY path',
};

describe('what an administrator sees of a box', () => {
  it('is what holds it by kind, and nothing that its user has named or written', () => {
    const summary = toSummary(box);
    assert.deepEqual(summary, {
      username: 'ada',
      state: 'running',
      startedMs: 1,
      stopsAtMs: null,
      holders: [
        { kind: 'viewer', count: 2 },
        { kind: 'job', count: 1 },
      ],
    });
  });
});
