import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApiClient } from '../../client/apiClient.ts';
import { SpoonError } from '../../protocol/errors.ts';
import { checkAsAdministrator } from './asAdministrator.ts';
import { Checks } from './checks.ts';

const dayMs = 24 * 3_600_000;
const health = { status: 'ok', apiVersion: 1, version: '1.2.3', instanceId: 'i', engine: 'docker', problems: [] };
const gibi = 2 ** 30;
const well = {
  adminStatus: {
    health,
    startedMs: 1,
    disks: [{ holds: 'all', freeBytes: 5 * gibi, totalBytes: 10 * gibi }],
    findings: [] as unknown[],
    lastBackupMs: Date.now() - dayMs,
  },
  adminKeys: {
    keys: [{ id: 'bbbbbbbb', createdMs: 2, isCurrent: true, isAvailable: true, dataKeys: 4 }],
    rotation: { owners: 0, resealed: 0, unopened: 0 },
  },
  adminVerifyAudit: { entries: 12, head: null, fault: null },
};

/** What the checks make of a service that is well but for `changes`. */
async function rowsOf(changes: Partial<Record<keyof typeof well, object>>): Promise<string[]> {
  const checks = new Checks('service', 'here');
  const call = async (name: keyof typeof well) => {
    const changed = changes[name];
    if (changed instanceof SpoonError) throw changed;
    return { ...well[name], ...changed };
  };
  await checkAsAdministrator(checks, { call } as unknown as ApiClient);
  return checks.rows
    .filter(({ state }) => state !== 'ok')
    .map(({ state, name, found }) => `${state} ${name}: ${found}`);
}

describe('what administrators are told', () => {
  it('is nothing where all is well', async () => assert.deepEqual(await rowsOf({}), []));

  it('is what health found, by what it is about', async () => {
    const findings = [
      { about: 'engine', state: 'failed', text: 'The container engine does not answer.' },
      { about: 'image', state: 'failed', text: 'Docker has no image spoon-box:latest.' },
      { about: 'disk', state: 'warning', text: 'The disk is nearly full: 12 MiB are left.' },
      { about: 'certificate', state: 'warning', text: 'It ends in 3 days.' },
    ];
    assert.deepEqual(await rowsOf({ adminStatus: { findings } }), [
      'failed Engine: The container engine does not answer.',
      'failed Image: Docker has no image spoon-box:latest.',
      'warning Disk: The disk is nearly full: 12 MiB are left.',
      'warning Certificate: It ends in 3 days.',
    ]);
  });

  it('is in words what an older service says', async () => {
    const older = {
      findings: undefined,
      lastBackupMs: undefined,
      health: { ...health, problems: ['Docker is away.'] },
    };
    assert.deepEqual(await rowsOf({ adminStatus: older }), ['warning Health: Docker is away.']);
  });

  it('is a backup that is missing or old', async () => {
    assert.match((await rowsOf({ adminStatus: { lastBackupMs: null } })).join(), /^warning Backup: None was made/);
    const old = { lastBackupMs: Date.now() - 9 * dayMs - 1 };
    assert.deepEqual(await rowsOf({ adminStatus: old }), ['warning Backup: The last is 9 days old.']);
  });

  it('is an old key that is missing, still needed, or needed no more', async () => {
    const old = (dataKeys: number, isAvailable: boolean) => ({
      keys: [...well.adminKeys.keys, { id: 'aaaaaaaa', createdMs: 1, isCurrent: false, isAvailable, dataKeys }],
    });
    assert.match(
      (await rowsOf({ adminKeys: old(2, false) })).join(),
      /^failed Data keys: 2 data keys need .* aaaaaaaa/,
    );
    assert.match((await rowsOf({ adminKeys: old(2, true) })).join(), /^warning Data keys: 2 data keys are still/);
    assert.match((await rowsOf({ adminKeys: old(0, true) })).join(), /^warning Data keys: Nothing needs/);
    assert.deepEqual(await rowsOf({ adminKeys: old(0, false) }), []);
    const rotation = { owners: 1, resealed: 3, unopened: 2 };
    assert.match((await rowsOf({ adminKeys: { rotation } })).join(), /^warning Data keys: 2 values/);
  });

  it('is an audit that was changed, and what this token may not see', async () => {
    const fault = { seq: 7, why: 'It is missing.' };
    assert.deepEqual(await rowsOf({ adminVerifyAudit: { fault } }), ['failed Audit: Entry 7: It is missing.']);
    assert.deepEqual(await rowsOf({ adminVerifyAudit: new SpoonError('insufficient-scope') }), [
      'warning Audit: was not looked at: this token may not.',
    ]);
  });
});
