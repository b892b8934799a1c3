import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Audit } from './audit/audit.ts';
import { AuditTrail } from './auditTrail.ts';
import { noteSettings } from './configAudit.ts';
import { type Keyring, openKeyring } from './keyring/keyring.ts';
import { readRootKey } from './keyring/rootKey.ts';
import { openStore, type Store } from './store/database.ts';

describe('changed settings', () => {
  let folder: string;
  let store: Store;
  let keyring: Keyring;
  let trail: AuditTrail;
  let errors: unknown[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spoon-settings-'));
    store = await openStore(join(folder, 'spoon.db'));
    keyring = await openKeyring(store, await readRootKey({ key: randomBytes(32).toString('base64'), oldKeys: [] }));
    errors = [];
    trail = new AuditTrail({
      audit: new Audit({ store, keyring, now: Date.now }),
      onError: (error) => errors.push(error),
      usernameOf: async () => null,
    });
  });
  afterEach(async () => {
    await trail.close();
    keyring.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const start = (given: Record<string, string>) => noteSettings(trail, { store, keyring, given });
  const noted = async () =>
    (await trail.audit.page({})).entries.map(({ event, details }) => [event, details?.settings]);

  it('are written down at the start that has them, by name', async () => {
    await start({ SPOON_ENGINE: 'docker', SPOON_LISTEN: '127.0.0.1:1' });
    await start({ SPOON_ENGINE: 'docker', SPOON_LISTEN: '127.0.0.1:1' });
    await start({ SPOON_ENGINE: 'process', SPOON_OIDC_ISSUER: 'https://canary' });
    assert.deepEqual(await noted(), [
      ['config.change', 'SPOON_ENGINE SPOON_LISTEN'],
      ['config.change', 'SPOON_ENGINE SPOON_LISTEN SPOON_OIDC_ISSUER'],
    ]);
    const facts = JSON.stringify(await store.db.selectFrom('facts').selectAll().execute());
    assert.doesNotMatch(facts, /canary|docker|process|127/);
  });

  it('are all written down where somebody took away what was known', async () => {
    await start({ SPOON_ENGINE: 'docker' });
    await store.db.updateTable('facts').set({ value: '{' }).where('name', '=', 'settings').execute();
    await start({ SPOON_ENGINE: 'docker' });
    assert.equal((await noted()).length, 2);
  });

  it('keep no service from starting, and are written down by the first start that can', async () => {
    const record = trail.audit.record.bind(trail.audit);
    trail.audit.record = () => Promise.reject(new Error('full'));
    await start({ SPOON_ENGINE: 'docker' });
    assert.equal(errors.length, 1);
    trail.audit.record = record;
    await start({ SPOON_ENGINE: 'docker' });
    assert.deepEqual(await noted(), [['config.change', 'SPOON_ENGINE']]);
  });
});
