import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JobEnd } from '../../protocol/boxdJobs.ts';
import { describeJob, durationInWords, endOf } from './jobWords.ts';

const end: JobEnd = { exitCode: 0, signal: null, why: 'by-itself', endedMs: 1, changes: null, notes: [] };
const about = { program: 'codex', timeLimitMs: 3_900_000 };

describe('what is said of a job', () => {
  it('tells how it ended', () => {
    const table: [Parameters<typeof endOf>[0], string, string | null][] = [
      [end, 'succeeded', null],
      [{ ...end, exitCode: 2 }, 'failed', 'codex ended with exit code 2.'],
      [{ ...end, exitCode: 137, signal: 'SIGKILL' }, 'failed', 'SIGKILL ended it.'],
      [{ ...end, exitCode: 126 }, 'failed', 'codex may not be executed in the box.'],
      [
        { ...end, exitCode: 127 },
        'failed',
        'codex was not found in the box. SPOON_AGENT_COMMAND of the service names it.',
      ],
      [{ ...end, exitCode: 143, signal: 'SIGTERM', why: 'cancelled' }, 'cancelled', null],
      [{ ...end, exitCode: 0, why: 'cancelled' }, 'cancelled', null],
      [{ ...end, exitCode: 143, why: 'time-limit' }, 'timed-out', 'It ran longer than 1 h 5 min and was ended.'],
    ];
    for (const [given, state, detail] of table) assert.deepEqual(endOf(given, about), { state, detail });
    assert.match(endOf({ ...end, exitCode: 1, signal: 'SIG\u001b[2J' }, about).detail ?? '', /^SIG \[2J ended it\.$/);
  });

  it('counts time in two units', () => {
    const table: [number, string][] = [
      [0, '0 s'],
      [1_400, '1 s'],
      [60_000, '1 min'],
      [61_000, '1 min 1 s'],
      [14_400_000, '4 h'],
      [90_061_000, '1 d 1 h'],
    ];
    for (const [ms, words] of table) assert.equal(durationInWords(ms), words);
  });

  it('has the first line of the prompt for a title, as plain text', () => {
    const ids = { id: 'j', userId: 'a', threadId: 't', spoon: 'api', branch: 'feat/x' };
    const times = { createdMs: 1, startedMs: null, endedMs: null, timeLimitMs: 1 };
    const stored = { ...ids, ...times, state: 'queued', outputBytes: 0, end: null, retryOf: null } as const;
    const title = (prompt: string) => describeJob({ ...stored, prompt }, undefined).title;
    assert.equal(title('\n  Fix it\u001b[31m\nand more'), 'Fix it [31m');
    assert.equal(title('ä'.repeat(200)), `${'ä'.repeat(119)}…`);
    assert.equal(describeJob({ ...stored, prompt: 'x' }, undefined).thread, 'api/feat/x');
  });
});
