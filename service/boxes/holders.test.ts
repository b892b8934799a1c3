import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TerminalState } from '../../protocol/boxd.ts';
import { advance, holdersOf, type IdleState, notIdle, stopsInMs } from './holders.ts';

const rules = { idleMs: 100, detachedMs: 1000, maxStepMs: 60 };
const terminal = (id: string, viewers: number, busy: boolean): TerminalState => ({
  id,
  title: `title of ${id}`,
  cwd: '/home/ada',
  createdMs: 0,
  viewers,
  columns: 80,
  rows: 24,
  busy,
});
const detachedFor = (ms: number): IdleState => ({ idleMs: 0, detachedMs: new Map([['t', ms]]) });

describe('holders of a box', () => {
  const cases: [string, TerminalState[], number, IdleState, string[]][] = [
    ['nothing', [], 0, notIdle, []],
    ['a viewer', [terminal('t', 1, false)], 0, notIdle, ['viewer']],
    ['a bare shell without a viewer', [terminal('t', 0, false)], 0, notIdle, []],
    ['a program without a viewer', [terminal('t', 0, true)], 0, detachedFor(999), ['terminal']],
    ['a program without a viewer for too long', [terminal('t', 0, true)], 0, detachedFor(1000), []],
    ['a viewer, however long it was away', [terminal('t', 2, true)], 0, detachedFor(5000), ['viewer']],
    ['commands', [], 2, notIdle, ['command']],
    ['all of them', [terminal('a', 1, true), terminal('b', 0, true)], 1, notIdle, ['viewer', 'terminal', 'command']],
  ];
  for (const [name, terminals, commands, state, expected] of cases) {
    it(`${expected.length === 0 ? 'does not count' : 'counts'} ${name}`, () => {
      const kinds = holdersOf({ terminals, commands }, state, rules).map(({ kind }) => kind);
      assert.deepEqual(kinds, expected);
    });
  }
});

describe('programs that were started in a box from outside', () => {
  const states = { terminals: [], commands: 0 };
  it('hold it', () => {
    const kinds = holdersOf({ ...states, fromOutside: 3 }, notIdle, rules).map(({ kind, id }) => [kind, id]);
    assert.deepEqual(kinds, [['command', 'outside']]);
  });

  it('do not when there are none', () => {
    assert.deepEqual(holdersOf({ ...states, fromOutside: 0 }, notIdle, rules), []);
  });
});

describe('idle time of a box', () => {
  const none = { terminals: [], commands: 0 };

  it('adds up without a holder and starts over with one', () => {
    let state = advance(notIdle, none, 40, rules);
    state = advance(state, none, 40, rules);
    assert.equal(stopsInMs(state, rules), 20);
    state = advance(state, { terminals: [], commands: 1 }, 40, rules);
    assert.equal(stopsInMs(state, rules), 100);
  });

  it('counts one step at most, however far the clock jumped, and none backwards', () => {
    assert.equal(stopsInMs(advance(notIdle, none, 1e9, rules), rules), 40);
    assert.equal(stopsInMs(advance(notIdle, none, -1e9, rules), rules), 100);
  });

  it('goes on for a box that gives no answer', () => {
    assert.equal(advance(advance(notIdle, undefined, 50, rules), undefined, 50, rules).idleMs, 100);
  });

  it('counts how long each terminal has been without a viewer, and forgets with a viewer', () => {
    const busy = { terminals: [terminal('t', 0, true)], commands: 0 };
    let state = advance(advance(notIdle, busy, 50, rules), busy, 50, rules);
    assert.equal(state.detachedMs.get('t'), 100);
    assert.equal(state.idleMs, 0);
    state = advance(state, { terminals: [terminal('t', 1, true)], commands: 0 }, 50, rules);
    assert.equal(state.detachedMs.get('t'), undefined);
  });

  it('starts only when the last program has been detached for its time', () => {
    const busy = { terminals: [terminal('t', 0, true)], commands: 0 };
    let state = notIdle;
    let elapsedMs = 0;
    while (stopsInMs(state, rules) > 0) {
      state = advance(state, busy, 50, rules);
      elapsedMs += 50;
    }
    assert.equal(elapsedMs, rules.detachedMs - 50 + rules.idleMs);
  });
});
