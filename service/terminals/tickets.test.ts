import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ticketLifeMs } from '../../protocol/limits.ts';
import { type TicketGrant, Tickets } from './tickets.ts';

const grant: TicketGrant = { kind: 'terminal', id: 'one', userId: 'ada', tokenId: 'token' };
const door = { kind: 'terminal', id: 'one' } as const;
const invalid = { code: 'ticket-invalid' };

describe('a ticket', () => {
  it('opens what it was made for, once', () => {
    const tickets = new Tickets();
    const { ticket, expiresInMs } = tickets.issue(grant);
    assert.equal(expiresInMs, 30_000);
    assert.deepEqual(tickets.redeem(ticket, door), grant);
    assert.throws(() => tickets.redeem(ticket, door), invalid);
  });

  it('is used up by exactly one of a thousand at once', async () => {
    const tickets = new Tickets();
    const { ticket } = tickets.issue(grant);
    const tries = Array.from({ length: 1000 }, async () => tickets.redeem(ticket, door));
    const results = await Promise.allSettled(tries);
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('is too old after its 30 s', () => {
    let nowMs = 0;
    const tickets = new Tickets(() => nowMs);
    const { ticket } = tickets.issue(grant);
    const { ticket: second } = tickets.issue(grant);
    nowMs = ticketLifeMs - 1;
    tickets.redeem(second, door);
    nowMs = ticketLifeMs;
    assert.throws(() => tickets.redeem(ticket, door), invalid);
  });

  it('is not given to a request that was under way when its token was revoked', () => {
    const tickets = new Tickets();
    tickets.voidThoseOf(grant.tokenId);
    assert.throws(() => tickets.issue(grant), { code: 'unauthenticated' });
    tickets.issue({ ...grant, tokenId: 'another' });
  });

  for (const [name, wrong] of [
    ['another terminal', { kind: 'terminal', id: 'two' }],
    ['a command', { kind: 'command', id: 'one' }],
    ['events', { kind: 'events', id: null }],
  ] as const) {
    it(`does not open ${name}, and is gone after the try`, () => {
      const tickets = new Tickets();
      const { ticket } = tickets.issue(grant);
      assert.throws(() => tickets.redeem(ticket, wrong), invalid);
      assert.throws(() => tickets.redeem(ticket, door), invalid);
    });
  }

  it('cannot be used up by somebody who has only its id', () => {
    const tickets = new Tickets();
    const { ticket } = tickets.issue(grant);
    const { ticket: other } = tickets.issue(grant);
    // The id of one with the secret of the other; its checksum is wrong as well, which is the first thing to refuse it.
    const mixed = ticket.slice(0, 19) + other.slice(19);
    assert.throws(() => tickets.redeem(mixed, door), invalid);
    assert.deepEqual(tickets.redeem(ticket, door), grant);
  });

  it('ends with the token that asked for it', () => {
    const tickets = new Tickets();
    const { ticket } = tickets.issue(grant);
    const { ticket: other } = tickets.issue({ ...grant, tokenId: 'another' });
    tickets.voidThoseOf('token');
    assert.throws(() => tickets.redeem(ticket, door), invalid);
    assert.ok(tickets.redeem(other, door));
  });

  it('is refused to a token that leaves hundreds unused, until they are too old', () => {
    let nowMs = 0;
    const tickets = new Tickets(() => nowMs);
    for (let count = 0; count < 256; count++) tickets.issue(grant);
    assert.throws(() => tickets.issue(grant), { code: 'too-many-requests' });
    tickets.issue({ ...grant, tokenId: 'another' });
    nowMs = ticketLifeMs;
    tickets.issue(grant);
  });
});
