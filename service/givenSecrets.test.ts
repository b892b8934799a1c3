import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpoonError } from '../protocol/errors.ts';
import type { Audit } from './audit/audit.ts';
import type { AuditEvent } from './audit/chain.ts';
import { AuditTrail } from './auditTrail.ts';
import { GivenSecrets } from './givenSecrets.ts';

describe('secrets for a shell', () => {
  const injection = { environment: { A: 'b' }, secretFiles: {}, ids: ['s1'], notes: [] };
  const asker = { userId: 'u', tokenId: 't' };
  const receiver = { kind: 'terminal', id: 'x' } as const;
  const errors: unknown[] = [];
  const given = (record: (event: AuditEvent) => Promise<void>, name: () => Promise<string>) => {
    const trail = new AuditTrail({
      audit: { record } as Pick<Audit, 'record'> as Audit,
      onError: (error) => errors.push(error),
      usernameOf: name,
    });
    return { trail, secrets: new GivenSecrets({ forProcess: async () => injection }, trail) };
  };

  it('are given though the name of the account is damaged, and the damage is written down', async () => {
    const written: AuditEvent[] = [];
    const damaged = () => Promise.reject(new SpoonError('integrity-failure'));
    const { trail, secrets } = given(async (event) => void written.push(event), damaged);
    assert.deepEqual(await secrets.toShell(asker, null, receiver), injection);
    await trail.close();
    assert.deepEqual(written.map(({ event, actor, object }) => [event, actor.userId, actor.username, object]).sort(), [
      ['integrity.failure', null, null, 'u'],
      ['secret.inject', 'u', null, 'x'],
    ]);
  });

  it('are left out where their use cannot be written down', async () => {
    const { trail, secrets } = given(
      () => Promise.reject(new SpoonError('audit-unavailable')),
      async () => 'ada',
    );
    const { environment, notes } = await secrets.toShell(asker, null, receiver);
    await trail.close();
    assert.deepEqual([environment, notes.length, errors.length], [{}, 1, 1]);
  });
});
