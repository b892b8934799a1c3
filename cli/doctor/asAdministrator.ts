import type { ApiClient } from '../../client/apiClient.ts';
import type { AdminStatus, HealthFinding } from '../../protocol/admin.ts';
import type { KeyStatus } from '../../protocol/keys.ts';
import { inBytes } from '../byteText.ts';
import { formatTime } from '../commandLine.ts';
import type { Checks } from './checks.ts';

const dayMs = 24 * 60 * 60_000;
/** An older backup is a warning. */
const backupDays = 7;
/** A long audit is read whole, which `admin audit verify` has more time for. */
const auditMs = 60_000;

const subjects: Record<
  HealthFinding['about'],
  { readonly name: string; readonly well: string; readonly advice?: string }
> = {
  database: {
    name: 'Database',
    well: 'can be written',
    advice: 'See to its disk, then at the log: journalctl -u spoon',
  },
  key: { name: 'Root key', well: 'opens what is stored', advice: 'See the log: journalctl -u spoon' },
  engine: {
    name: 'Engine',
    well: 'answers',
    advice: 'Start it, as with: systemctl start docker. Nothing is to be done here then.',
  },
  image: { name: 'Image', well: 'is there' },
  disk: { name: 'Disk', well: '', advice: 'Make room, or give it more: what people save is refused once it is full.' },
  certificate: { name: 'Certificate', well: '' },
};

/** What only administrators are told. */
export async function checkAsAdministrator(checks: Checks, api: ApiClient): Promise<void> {
  const status = await checks.ask('Health', () => api.call('adminStatus'));
  if (status === undefined) return;
  checkHealth(checks, status);
  await checks.ask('Data keys', async () => checkKeys(checks, await api.call('adminKeys')));
  await checks.ask('Audit', async () => {
    const { entries, fault } = await api.call('adminVerifyAudit', { body: {}, timeoutMs: auditMs });
    const advice = 'Keep a copy of the database, and find out who can write to it: docs/operations.md, Audit.';
    if (fault === null) checks.ok('Audit', `${entries} entries, each as it was written`);
    else checks.fail('Audit', `Entry ${fault.seq}: ${fault.why}`, advice);
  });
  checkBackup(checks, status.lastBackupMs);
}

function checkHealth(checks: Checks, { health, findings, disks }: AdminStatus): void {
  // Of an older service only words are known.
  if (findings === undefined) for (const problem of health.problems) checks.warn('Health', problem);
  const found = findings ?? [];
  for (const about of Object.keys(subjects) as HealthFinding['about'][]) {
    const { name, well, advice } = subjects[about];
    for (const { text, state } of found.filter((finding) => finding.about === about)) {
      if (state === 'failed') checks.fail(name, text, advice);
      else checks.warn(name, text, about === 'disk' ? advice : undefined);
    }
    if (findings === undefined || found.some((finding) => finding.about === about)) continue;
    if (about === 'image' && health.engine !== 'docker') continue;
    // There may be none: a proxy before the service has it then.
    if (about === 'certificate') continue;
    if (about === 'disk') checks.ok(name, disks.map(roomOf).join('; '));
    else checks.ok(name, about === 'engine' ? `${health.engine}, ${well}` : well);
  }
}

function roomOf({ holds, freeBytes, totalBytes }: AdminStatus['disks'][number]): string {
  return `${inBytes(freeBytes)} of ${inBytes(totalBytes)} free${holds === 'all' ? '' : ` for the ${holds}`}`;
}

function checkKeys(checks: Checks, { keys, rotation }: KeyStatus): void {
  const current = keys.find(({ isCurrent }) => isCurrent);
  const before = checks.rows.length;
  for (const { id, dataKeys, isAvailable, isCurrent } of keys) {
    if (isCurrent) continue;
    if (!isAvailable && dataKeys > 0) {
      const found = `${dataKeys} data keys need the old key ${id}, which the service was not given: what they seal cannot be read.`;
      checks.fail(
        'Data keys',
        found,
        'Start it with that key in SPOON_ENCRYPTION_KEYS_OLD, then: spoonctl admin keys rewrap',
      );
    } else if (dataKeys > 0) {
      checks.warn(
        'Data keys',
        `${dataKeys} data keys are still under the old key ${id}.`,
        'Move them with: spoonctl admin keys rewrap',
      );
    } else if (isAvailable) {
      checks.warn(
        'Data keys',
        `Nothing needs the old key ${id} any more.`,
        'Start the service without SPOON_ENCRYPTION_KEYS_OLD.',
      );
    }
  }
  if (rotation.unopened > 0) {
    const found = `${rotation.unopened} values do not open, and keep an old data key from being destroyed.`;
    checks.warn('Data keys', found, 'The log names whose (keys.rotate).');
  }
  if (checks.rows.length === before) {
    checks.ok(
      'Data keys',
      `all ${current?.dataKeys ?? 0} are under the current root key${current ? `, ${current.id}` : ''}`,
    );
  }
}

function checkBackup(checks: Checks, lastMs: number | null | undefined): void {
  // An older service does not say.
  if (lastMs === undefined) return;
  const make = 'Make one with: spoonctl backup create FILE, then try it: spoonctl backup verify FILE';
  const days = lastMs === null ? 0 : Math.floor((Date.now() - lastMs) / dayMs);
  if (lastMs === null) checks.warn('Backup', 'None was made of this database.', make);
  else if (days >= backupDays) checks.warn('Backup', `The last is ${days} days old.`, make);
  else checks.ok('Backup', `the last was made at ${formatTime(lastMs)}`);
}
