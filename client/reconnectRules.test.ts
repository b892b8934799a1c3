import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SpoonError } from '../protocol/errors.ts';
import {
  firstDelayMs,
  longestDelayMs,
  nextReconnectState,
  type ReconnectEvent,
  type ReconnectState,
} from './reconnectRules.ts';

const away = new SpoonError('service-unreachable');
const refused = (error: SpoonError, jitter = 0): ReconnectEvent => ({ type: 'refused', error, jitter });
const closed = (code: number, openMs = 0, jitter = 0): ReconnectEvent => ({
  type: 'closed',
  code,
  reason: '',
  openMs,
  jitter,
});
const connecting = (attempt: number): ReconnectState => ({ name: 'connecting', attempt });
const connected = (attempt: number): ReconnectState => ({ name: 'connected', attempt });

describe('nextReconnectState', () => {
  const rows: [string, ReconnectState, ReconnectEvent, ReconnectState][] = [
    ['starts', { name: 'idle' }, { type: 'connect' }, connecting(0)],
    ['opens', connecting(3), { type: 'opened' }, connected(3)],
    ['keeps what is there', connected(1), { type: 'connect' }, connected(1)],
    ['waits after a first failure', connecting(0), refused(away), { name: 'awaitingRetry', attempt: 1, delayMs: 250 }],
    ['waits longer each time', connecting(3), refused(away), { name: 'awaitingRetry', attempt: 4, delayMs: 2000 }],
    [
      'halves the wait at most',
      connecting(3),
      refused(away, 0.999),
      { name: 'awaitingRetry', attempt: 4, delayMs: 1001 },
    ],
    [
      'waits no longer than 30 s',
      connecting(50),
      refused(away),
      { name: 'awaitingRetry', attempt: 51, delayMs: 30_000 },
    ],
    ['tries again when due', { name: 'awaitingRetry', attempt: 4, delayMs: 1 }, { type: 'retryDue' }, connecting(4)],
    ['tries afresh when asked', { name: 'awaitingRetry', attempt: 4, delayMs: 1 }, { type: 'connect' }, connecting(0)],
    [
      'forgets failures after a good connection',
      connected(6),
      closed(1006, 5000),
      { name: 'awaitingRetry', attempt: 1, delayMs: 250 },
    ],
    [
      'remembers them after a short one',
      connected(2),
      closed(1006, 4999),
      { name: 'awaitingRetry', attempt: 3, delayMs: 1000 },
    ],
    [
      'comes back after a restart of the service',
      connected(0),
      closed(1012, 9e9),
      { name: 'awaitingRetry', attempt: 1, delayMs: 250 },
    ],
    ['ignores a late close', connecting(0), closed(1006), connecting(0)],
    ['ignores a late refusal', connected(0), refused(away), connected(0)],
    ['stops', connected(0), { type: 'stop' }, { name: 'disconnected', ending: { by: 'caller' } }],
  ];
  for (const [name, state, event, expected] of rows) {
    it(name, () => assert.deepEqual(nextReconnectState(state, event), expected));
  }

  for (const code of [
    'unauthenticated',
    'insufficient-scope',
    'not-found',
    'terminal-ended',
    'box-stopped',
    'service-incompatible',
  ] as const) {
    it(`stops at ${code}, and tries again only when asked`, () => {
      const state = nextReconnectState(connecting(1), refused(new SpoonError(code)));
      assert.equal(state.name, 'disconnected');
      assert.equal(nextReconnectState(state, { type: 'retryDue' }), state);
      assert.deepEqual(nextReconnectState(state, { type: 'connect' }), connecting(0));
    });
  }

  for (const code of [
    'ticket-invalid',
    'service-answer-invalid',
    'shutting-down',
    'too-many-requests',
    'box-unavailable',
  ] as const) {
    it(`goes on after ${code}`, () => {
      assert.equal(nextReconnectState(connecting(0), refused(new SpoonError(code))).name, 'awaitingRetry');
    });
  }

  for (const code of [1002, 1003, 4001, 4004, 4010, 4400]) {
    it(`stops at close ${code}`, () =>
      assert.equal(nextReconnectState(connected(0), closed(code)).name, 'disconnected'));
  }
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4013]) {
    it(`goes on after close ${code}`, () => {
      assert.equal(nextReconnectState(connected(0), closed(code)).name, 'awaitingRetry');
    });
  }

  it('never waits outside of its bounds', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, jitter) => {
        const state = nextReconnectState(connecting(attempt), refused(away, jitter));
        assert.ok(state.name === 'awaitingRetry');
        assert.ok(state.delayMs >= firstDelayMs / 2 && state.delayMs <= longestDelayMs);
      }),
    );
  });
});
