import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiskSpace } from '../protocol/admin.ts';
import { SpoonError } from '../protocol/errors.ts';
import { type HealthSources, ServiceHealth } from './health.ts';
import type { Keyring } from './keyring/keyring.ts';
import type { Store } from './store/database.ts';

const gibi = 2 ** 30;
const roomy: DiskSpace = { holds: 'all', freeBytes: 50 * gibi, totalBytes: 100 * gibi };

/** What a health without anything wrong looks at, and what is changed of it. */
function healthWith(changes: Partial<HealthSources>): ServiceHealth {
  return new ServiceHealth({
    store: { transaction: async () => undefined } as unknown as Store,
    keyring: { mac: async () => new Uint8Array() } as unknown as Keyring,
    engine: { findings: async () => [], isAway: async () => false },
    disks: async () => [roomy],
    certificate: () => [],
    audit: () => [],
    onError: (error) => assert.fail(String(error)),
    ...changes,
  });
}

describe('the health of the service', () => {
  it('is good, and ready', async () => {
    const health = healthWith({});
    assert.deepEqual([await health.findings(), await health.notReady()], [[], []]);
  });

  it('is not ready without a database that can be written, a key, an engine', async () => {
    const refuse = async () => {
      throw new SpoonError('insufficient-storage');
    };
    const health = healthWith({
      store: { transaction: refuse } as unknown as Store,
      keyring: { mac: refuse } as unknown as Keyring,
      engine: {
        findings: async () => [{ about: 'engine', state: 'failed', text: 'It is away.' }],
        isAway: async () => true,
      },
    });
    assert.deepEqual(await health.notReady(), [
      'The database cannot be written. What is stored can be read.',
      'The key of the service cannot be used.',
      'The container engine does not answer.',
    ]);
    assert.deepEqual(
      (await health.findings()).map(({ about, state }) => [about, state]),
      [
        ['database', 'failed'],
        ['key', 'failed'],
        ['engine', 'failed'],
      ],
    );
  });

  it('has the log told what nobody expected', async () => {
    const told: unknown[] = [];
    const bug = new Error('a bug');
    const keyring = { mac: () => Promise.reject(bug) } as unknown as Keyring;
    assert.equal((await healthWith({ keyring, onError: (error) => told.push(error) }).notReady()).length, 1);
    assert.deepEqual(told, [bug]);
  });

  it('names a disk that is nearly full: little is left, of the whole too', async () => {
    const disks: DiskSpace[] = [
      { holds: 'database', freeBytes: gibi, totalBytes: 100 * gibi },
      { holds: 'homes', freeBytes: gibi, totalBytes: 4 * gibi },
      { holds: 'all', freeBytes: 3 * gibi, totalBytes: 1000 * gibi },
    ];
    const text = 'The disk of the database is nearly full: 1024 MiB are left.';
    assert.deepEqual(await healthWith({ disks: async () => disks }).findings(), [
      { about: 'disk', state: 'warning', text },
    ]);
  });

  it('is looked at anew after 5 s only, however often somebody asks', async () => {
    let [nowMs, looks] = [0, 0];
    const certificate = () => {
      looks++;
      return ['x'];
    };
    const health = healthWith({ certificate, now: () => nowMs });
    for (nowMs of [0, 1, 5_000, 5_001]) {
      assert.deepEqual(await health.findings(), [{ about: 'certificate', state: 'warning', text: 'x' }]);
    }
    assert.equal(looks, 2);
  });
});
