import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReconnectState } from '../../client/reconnectRules.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { type ConnectionState, stateAfter, stateForFailure } from './connectionState.ts';

const offline: ConnectionState = { name: 'offline' };
const connected: ConnectionState = { name: 'connected' };
const refusedBy = (code: ConstructorParameters<typeof SpoonError>[0]): ReconnectState => ({
  name: 'disconnected',
  ending: { by: 'refusal', error: new SpoonError(code) },
});
const closedWith = (code: number): ReconnectState => ({
  name: 'disconnected',
  ending: { by: 'close', code, reason: '' },
});

const table: [name: string, from: ConnectionState, socket: ReconnectState, to: string | undefined][] = [
  ['a first try', { name: 'connecting' }, { name: 'connecting', attempt: 0 }, 'connecting'],
  ['a try while offline does not flicker', offline, { name: 'connecting', attempt: 3 }, undefined],
  ['it is back', offline, { name: 'connected', attempt: 0 }, 'connected'],
  ['it is lost', connected, { name: 'awaitingRetry', attempt: 1, delayMs: 250 }, 'offline'],
  ['it is still lost', offline, { name: 'awaitingRetry', attempt: 2, delayMs: 500 }, undefined],
  ['we closed it', connected, { name: 'disconnected', ending: { by: 'caller' } }, undefined],
  ['the token is not taken', connected, refusedBy('unauthenticated'), 'refused'],
  ['the token has expired', connected, refusedBy('token-expired'), 'refused'],
  ['the token was revoked while open', connected, closedWith(4001), 'refused'],
  ['the account is disabled', connected, refusedBy('user-disabled'), 'offline'],
  ['the versions differ', connected, refusedBy('service-incompatible'), 'incompatible'],
  ['a close that nobody explains', connected, closedWith(1002), 'offline'],
];

describe('stateAfter', () => {
  for (const [name, from, socket, to] of table) {
    it(`is ${to ?? 'unchanged'} when ${name}`, () => assert.equal(stateAfter(from, socket)?.name, to));
  }
});

describe('stateForFailure', () => {
  it('takes garbage for a service that is away, and keeps why', () => {
    const error = new SpoonError('service-answer-invalid', 'x answers with something other than JSON.');
    assert.deepEqual(stateForFailure(error), { name: 'offline', error });
  });
});
