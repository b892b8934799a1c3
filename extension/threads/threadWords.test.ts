import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Box } from '../../protocol/boxes.ts';
import type { CheckoutStatus } from '../../protocol/threads.ts';
import { boxInBrief, inBytes, inTime, progressInWords, statusInBrief, statusInWords } from './threadWords.ts';

const clean: CheckoutStatus = {
  state: 'ready',
  branch: 'main',
  dirty: 0,
  dirtyMore: false,
  ahead: 0,
  behind: 0,
  unpushed: 0,
  unpushedMore: false,
  stashes: 0,
  checkedMs: 1,
};
const box: Box = {
  state: 'running',
  engine: 'docker',
  username: 'ada',
  home: '/home/ada',
  startedMs: 1,
  holders: [],
  stopsAtMs: null,
  stages: [],
};

describe('the words of a thread', () => {
  for (const [status, brief] of [
    [null, ''],
    [clean, ''],
    [{ ...clean, dirty: 3, unpushed: 2, behind: 1 }, '3 changed · 2 unpushed · ↓1'],
    [{ ...clean, dirty: 500, dirtyMore: true }, '500+ changed'],
    [{ ...clean, branch: 'other', operation: 'rebase' as const }, 'rebase · on other'],
    [{ ...clean, branch: null }, 'no branch'],
    [{ ...clean, state: 'missing' as const }, 'no checkout'],
  ] as const) {
    it(`are ${brief || 'none'} for ${JSON.stringify(status)?.slice(0, 60)}`, () => {
      assert.equal(statusInBrief(status, 'main'), brief);
    });
  }

  it('are sentences where there is room', () => {
    assert.deepEqual(statusInWords({ ...clean, dirty: 1, unpushed: 2 }), [
      'On branch main.',
      '1 file changed.',
      '2 commits not pushed.',
    ]);
  });
});

describe('the words of a box', () => {
  const minute = 60_000;
  for (const [what, words] of [
    [undefined, ''],
    [{ ...box, state: 'stopped' as const }, 'box is off'],
    [{ ...box, stopsAtMs: 10 * minute }, 'box stops in 10 minutes'],
    [{ ...box, holders: [{ kind: 'pin' as const, id: '1', label: 'x' }] }, 'box is on, kept by you'],
    [
      { ...box, holders: (['viewer', 'terminal', 'command'] as const).map((kind) => ({ kind, id: '1', label: 'x' })) },
      'box is on, held by 2 terminals and 1 command',
    ],
    [{ ...box, holders: [{ kind: 'command' as const, id: '1', label: 'x' }] }, 'box is on, held by 1 command'],
  ] satisfies [Box | undefined, string][]) {
    it(`are ${words || 'none'}`, () => assert.equal(boxInBrief(what, 0), words));
  }

  it('name times and sizes as people do', () => {
    assert.deepEqual(
      [inTime(1), inTime(minute * 90), inTime(minute * 600)],
      ['in less than a minute', 'in 90 minutes', 'in 10 hours'],
    );
    assert.deepEqual([inBytes(0), inBytes(1536), inBytes(20 * 1024 ** 2)], ['0 B', '1.5 KiB', '20 MiB']);
    const progress = { phase: 'receiving', percent: 40, receivedBytes: 2048 } as const;
    assert.equal(progressInWords(progress), 'Receiving 40 %, 2.0 KiB…');
  });
});
