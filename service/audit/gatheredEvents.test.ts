import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { AuditEvent } from './chain.ts';
import { GatheredEvents } from './gatheredEvents.ts';

const saved: AuditEvent = {
  event: 'dotfile.write',
  result: 'done',
  code: null,
  actor: { kind: 'user', userId: 'u', username: 'ada', tokenId: 't' },
  object: null,
  address: '192.0.2.1',
  userAgent: null,
  requestId: 'req_1',
};

describe('events that are gathered', () => {
  let written: AuditEvent[];
  let gathered: GatheredEvents;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    written = [];
    const record = async (event: AuditEvent) => void written.push(event);
    const onError = (error: unknown) => assert.fail(String(error));
    gathered = new GatheredEvents({ audit: { record }, onError, waitMs: 10_000, maxNamed: 3 });
  });
  afterEach(() => mock.timers.reset());
  const told = () => written.map(({ actor, details }) => [actor.tokenId, details?.ids, details?.count]);

  it('are one entry for each token, some seconds after the first', async () => {
    for (let time = 0; time < 100; time++) gathered.note('t', saved, ['a', `b${time % 2}`]);
    gathered.note('s', { ...saved, actor: { ...saved.actor, tokenId: 's' } }, ['c']);
    assert.deepEqual(written, []);
    mock.timers.tick(10_000);
    assert.deepEqual(told(), [
      ['t', 'a b0 b1', 3],
      ['s', 'c', 1],
    ]);
    mock.timers.tick(60_000);
    assert.equal(written.length, 2);
  });

  it('name so many, and count the others', async () => {
    gathered.note(
      't',
      saved,
      Array.from({ length: 1_000 }, (_, index) => `id${index}`),
    );
    await gathered.close();
    assert.deepEqual(told(), [['t', 'id0 id1 id2', 1_000]], 'and are not lost when the service ends');
  });
});
