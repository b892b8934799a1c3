import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import Fastify from 'fastify';
import type { Audit } from './audit/audit.ts';
import { addAuditHooks } from './audit/auditRoutes.ts';
import type { AuditEvent } from './audit/chain.ts';
import { AuditTrail } from './auditTrail.ts';
import type { Caller } from './http/route.ts';
import { auditOfUpgrades } from './upgradeAudit.ts';

describe('what a program that repeats itself leaves in the audit', () => {
  const trailInto = (written: AuditEvent[]) =>
    new AuditTrail({
      audit: { record: async (event) => void written.push(event) } as Pick<Audit, 'record'> as Audit,
      onError: (error) => assert.fail(String(error)),
      usernameOf: async (userId) => userId,
    });

  it('is the first times it looked at terminals, and then how often, how long and how much in all', async () => {
    const written: AuditEvent[] = [];
    const trail = trailInto(written);
    const { opened } = auditOfUpgrades({ trail, trustedProxies: [] });
    const socket = new Socket();
    const request = new IncomingMessage(socket);
    const times = 20_000;
    for (let time = 0; time < times; time++) {
      const grant = { userId: 'eve', tokenId: `token ${time % 100}` };
      const target = { kind: 'terminal', id: `terminal ${time % 7}` } as const;
      opened({ grant, target, request }, Promise.resolve({ fromClient: 1, toClient: 2, durationMs: 3 }));
      await new Promise(setImmediate);
    }
    opened(
      { grant: { userId: 'ada', tokenId: 't' }, target: { kind: 'terminal', id: 'hers' }, request },
      Promise.resolve({ fromClient: 5, toClient: 6, durationMs: 7 }),
    );
    await new Promise(setImmediate);
    await trail.close();
    socket.destroy();
    assert.ok(written.length < 500, `${written.length} entries`);
    const hers = written.filter(({ actor }) => actor.userId === 'ada');
    assert.deepEqual(
      hers.map(({ event, object, details }) => [event, object, details]),
      [
        ['terminal.attach', 'hers', undefined],
        ['terminal.detach', 'hers', { fromClient: 5, toClient: 6, durationMs: 7 }],
      ],
    );
    const ofEve = written.filter(({ actor, event }) => actor.userId === 'eve' && event === 'terminal.detach');
    const sum = (name: string) => ofEve.reduce((all, { details }) => all + Number(details?.[name] ?? 0), 0);
    assert.deepEqual(['fromClient', 'toClient', 'durationMs'].map(sum), [times, 2 * times, 3 * times]);
  });

  it('is so many networks that a token came from, and how many more', async () => {
    const written: AuditEvent[] = [];
    const trail = trailInto(written);
    const caller: Caller = { kind: 'user', userId: 'eve', username: 'eve', tokenId: 't', scopes: new Set() };
    const app = Fastify();
    app.decorateRequest('caller', null);
    app.addHook('onRequest', async (request) => {
      request.caller = caller;
    });
    addAuditHooks(app, {
      ...trail,
      audit: { head: async () => undefined } as Audit,
      // Each time from elsewhere.
      tokenUsed: (_tokenId, _network, tell) => tell(),
      keepHead: () => undefined,
    });
    app.get('/', async () => '');
    for (let time = 0; time < 1_000; time++) await app.inject('/');
    await app.close();
    await trail.close();
    assert.ok(written.length < 150, `${written.length} entries`);
    assert.deepEqual([...new Set(written.map(({ event, object }) => `${event} ${object}`))], ['token.new-address t']);
    const told = written.reduce((all, { details }) => all + Number(details?.times ?? 1), 0);
    assert.ok(told >= 1_000, 'none is missing');
  });
});
