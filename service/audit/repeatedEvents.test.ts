import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { AuditEvent } from './chain.ts';
import { RepeatedEvents, type RepeatedEventsParts } from './repeatedEvents.ts';

const windowMs = 60_000;
const refused = (address: string): AuditEvent => ({
  event: 'ticket.refused',
  result: 'refused',
  code: 'ticket-invalid',
  actor: { kind: 'nobody', userId: null, username: null, tokenId: null },
  object: null,
  address,
  userAgent: 'curl',
  requestId: 'req_1',
});

describe('events that somebody repeats', () => {
  let written: AuditEvent[];
  let errors: unknown[];
  let fails: boolean;
  let repeated: RepeatedEvents;
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval'] });
    written = [];
    errors = [];
    fails = false;
    const record = async (event: AuditEvent) => {
      if (fails) throw new Error('full');
      written.push(event);
    };
    repeated = new RepeatedEvents({ audit: { record }, onError: (error) => errors.push(error), windowMs, maxKinds: 3 });
  });
  afterEach(() => mock.timers.reset());
  const told = () => written.map(({ address, details }) => [address, details?.times]);

  it('are written down once, and as a number when the hour is over', async () => {
    for (let time = 0; time < 1_000; time++) repeated.note('a', refused('10.0.0.1'));
    repeated.note('b', refused('10.0.0.2'));
    assert.deepEqual(told(), [
      ['10.0.0.1', undefined],
      ['10.0.0.2', undefined],
    ]);
    mock.timers.tick(windowMs);
    assert.deepEqual(told().slice(2), [['10.0.0.1', 999]]);
    repeated.note('a', refused('10.0.0.1'));
    assert.deepEqual(told().slice(3), [['10.0.0.1', undefined]], 'a new hour');
    mock.timers.tick(3 * windowMs);
    assert.equal(written.length, 4, 'nothing more happened');
  });

  it('of more kinds than are told apart are counted together: nobody fills the disk with addresses', async () => {
    for (let host = 0; host < 5_000; host++) repeated.note(`kind ${host}`, refused(`10.0.${host >> 8}.${host & 255}`));
    assert.deepEqual(told(), [
      ['10.0.0.0', undefined],
      ['10.0.0.1', undefined],
      ['10.0.0.2', undefined],
      [null, undefined],
    ]);
    await repeated.close();
    assert.deepEqual(told().slice(4), [[null, 4_996]], 'the count is not lost when the service ends');
  });

  const damaged = (userId: string): AuditEvent => ({
    ...refused('10.0.0.1'),
    actor: { kind: 'user', userId, username: userId, tokenId: `${userId}'s` },
  });
  const limited = (limits: Partial<RepeatedEventsParts>) => {
    const record = async (event: AuditEvent) => void written.push(event);
    return new RepeatedEvents({ audit: { record }, onError: (error) => errors.push(error), windowMs, ...limits });
  };

  it('by one user push nobody else’s aside', async () => {
    const within = limited({ maxKinds: 10, maxKindsOfOne: 3 });
    for (let kind = 0; kind < 1_000; kind++) within.note(`eve ${kind}`, damaged('eve'));
    within.note('ada', { ...damaged('ada'), object: 'k1' });
    await within.close();
    assert.deepEqual(
      written.map(({ actor, object, details }) => [actor.userId, object, details?.times]),
      [...Array.from({ length: 4 }, () => ['eve', null, undefined]), ['ada', 'k1', undefined], ['eve', null, 996]],
    );
  });

  it('of more users than are told apart name none of them', async () => {
    const within = limited({ maxKinds: 2 });
    for (const user of ['ada', 'bo', 'cy', 'dee']) within.note(user, damaged(user));
    await within.close();
    assert.deepEqual(
      written.map(({ actor, details }) => [actor.username, details?.times]),
      [
        ['ada', undefined],
        ['bo', undefined],
        [null, undefined],
        [null, 1],
      ],
    );
  });

  it('are written one by one so many times for each user, and then as a sum', async () => {
    const within = limited({ maxRepeatsOfOne: 2 });
    for (let time = 1; time <= 6; time++) await within.record('a', damaged('eve'), { bytes: time });
    assert.deepEqual(
      written.map(({ details }) => details),
      [{ bytes: 1 }, { bytes: 2 }, { bytes: 3 }],
    );
    await within.close();
    assert.deepEqual(
      written.slice(3).map(({ details }) => details),
      [{ bytes: 4 + 5 + 6, times: 3 }],
    );
  });

  it('that cannot be written down are errors for the log, and nobody waits for them', async () => {
    fails = true;
    repeated.note('a', refused('10.0.0.1'));
    await repeated.close();
    assert.equal(errors.length, 1);
  });
});
