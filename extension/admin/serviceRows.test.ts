import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AdminUser } from '../../protocol/admin.ts';
import { findRow, parentOf, type ServiceFacts, type ServiceRow, serviceRows } from './serviceRows.ts';

const nowMs = Date.UTC(2030, 0, 1);
const minute = 60_000;
const ada: AdminUser = {
  id: 'u1',
  username: 'ada',
  displayName: 'Ada',
  createdMs: 1,
  disabled: false,
  admin: true,
  lastUsedMs: nowMs - 3 * minute,
  box: 'running',
  dotfiles: 12,
  storedBytes: 2048,
};
const facts: ServiceFacts = {
  status: {
    health: { status: 'ok', version: '1.2.3', apiVersion: 1, instanceId: 'i', engine: 'docker', problems: [] },
    startedMs: nowMs - 60 * minute,
    disks: [{ holds: 'all', freeBytes: 2 ** 30, totalBytes: 2 ** 31 }],
  },
  users: [ada],
  boxes: [
    {
      username: 'ada',
      state: 'running',
      startedMs: nowMs - minute,
      stopsAtMs: null,
      holders: [
        { kind: 'viewer', count: 2 },
        { kind: 'job', count: 1 },
      ],
      load: { cpuPercent: 150, memoryBytes: 2 ** 20, memoryLimitBytes: 2 ** 31, processes: 7 },
    },
    { username: 'bob', state: 'stopped', startedMs: null },
  ],
  jobs: { maxConcurrent: 4, jobs: [] },
};
const shown = (rows: readonly ServiceRow[], depth = 0): string[] =>
  rows.flatMap((row) => [
    `${'  '.repeat(depth)}${[row.label, row.description].filter(Boolean).join(': ')}`,
    ...shown(row.children, depth + 1),
  ]);

describe('the rows of the Service view', () => {
  it('say how it stands, by users, boxes in use with what holds them, jobs and disk', () => {
    assert.deepEqual(shown(serviceRows(facts, nowMs)), [
      'Health: well',
      'Disk: 1.0 GiB of 2.0 GiB free',
      'Users: 1',
      '  ada: Ada · administrator · here 3 minutes ago',
      'Boxes: 1 of 2 in use',
      '  ada: 150 % CPU · 1.0 MiB of 2.0 GiB · 7 processes',
      '    2 terminals that somebody looks at: holds it',
      '    1 job: holds it',
      'Jobs: none',
    ]);
  });

  it('name each problem, who is disabled, a box that failed, jobs that wait and a disk that is nearly full', () => {
    const rows = serviceRows(
      {
        status: {
          ...facts.status,
          health: {
            ...facts.status.health,
            status: 'degraded',
            problems: ['Docker does not answer.', 'x](command:y)'],
          },
          disks: [
            { holds: 'database', freeBytes: 1, totalBytes: 100 },
            { holds: 'homes', freeBytes: 50, totalBytes: 100 },
          ],
        },
        users: [{ ...ada, admin: false, disabled: true, lastUsedMs: null }],
        boxes: [{ username: 'ada', state: 'failed', startedMs: null }],
        jobs: {
          maxConcurrent: 4,
          jobs: [
            { id: 'j1', username: 'ada', state: 'running', createdMs: nowMs, startedMs: nowMs - minute },
            { id: 'j2', username: 'ada', state: 'queued', createdMs: nowMs - 2 * minute, startedMs: null },
          ],
        },
      },
      nowMs,
    );
    assert.deepEqual(shown(rows), [
      'Health: 2 problems',
      '  Docker does not answer.',
      '  x] (command:y)',
      'Disk of the database: 1 B of 100 B free, nearly full',
      'Disk of the homes: 50 B of 100 B free',
      'Users: 1, 1 disabled',
      '  ada: Ada · disabled · never here',
      'Boxes: 1 of 1 in use',
      '  ada: failed',
      'Jobs: 1 of 4 run, 1 wait',
      '  ada: running, started 1 minute ago',
      '  ada: queued, waits since 2 minutes ago',
    ]);
    assert.deepEqual([findRow(rows, 'health')?.icon, findRow(rows, 'disk database')?.icon], ['warning', 'warning']);
  });

  it('tell commands and screen readers what each is about', () => {
    const rows = serviceRows(facts, nowMs);
    const user = findRow(rows, 'user ada');
    assert.deepEqual([user?.username, user?.context], ['ada', 'user+enabled']);
    assert.match(user?.spoken ?? '', /^User ada, .*12 dotfiles, 2\.0 KiB stored/);
    const box = findRow(rows, 'box ada');
    assert.deepEqual([box?.username, box?.context, parentOf(rows, 'box ada')?.key], ['ada', 'box+running', 'boxes']);
    assert.match(box?.spoken ?? '', /^Box of ada, running, 150 % CPU/);
    assert.equal(parentOf(rows, 'health'), undefined);
    assert.equal(findRow(rows, 'user nobody'), undefined);
  });
});
