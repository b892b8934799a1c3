import type { AdminStatus, AdminUser, BoxSummary, DiskSpace } from '../../protocol/admin.ts';
import type { AdminJob, AdminJobList } from '../../protocol/jobWorkers.ts';
import { timeText } from '../dotfiles/timeText.ts';
import { asPlainText } from '../failure.ts';
import { inBytes } from '../threads/threadWords.ts';

/** What the Service view shows, as rows in plain words. No VS Code in here. */

export interface ServiceFacts {
  readonly status: AdminStatus;
  readonly users: readonly AdminUser[];
  readonly boxes: readonly BoxSummary[];
  readonly jobs: AdminJobList;
}

export interface ServiceRow {
  /** The same for the same thing, whatever became of it. */
  readonly key: string;
  readonly label: string;
  readonly description: string;
  readonly icon: string;
  /** What menus know it by. */
  readonly context: string;
  /** For a screen reader, with what the icon says. */
  readonly spoken: string;
  readonly tooltip: string;
  readonly children: readonly ServiceRow[];
  /** With its children in sight from the start. */
  readonly isOpen: boolean;
  /** Whom a command on it is about. */
  readonly username: string | undefined;
}

const nearlyFull = 0.1;

export function serviceRows({ status, users, boxes, jobs }: ServiceFacts, nowMs: number): ServiceRow[] {
  const inUse = boxes.filter(({ state }) => state !== 'stopped');
  const disabled = users.filter((user) => user.disabled).length;
  const running = jobs.jobs.filter(({ state }) => state !== 'queued').length;
  const waiting = jobs.jobs.length - running;
  return [
    healthRow(status, nowMs),
    ...status.disks.map(diskRow),
    group(
      'users',
      'Users',
      disabled === 0 ? `${users.length}` : `${users.length}, ${disabled} disabled`,
      'organization',
      {
        rows: users.map((user) => userRow(user, nowMs)),
        isOpen: true,
      },
    ),
    group('boxes', 'Boxes', inUse.length === 0 ? 'none runs' : `${inUse.length} of ${boxes.length} in use`, 'server', {
      rows: inUse.map((box) => boxRow(box, nowMs)),
      isOpen: true,
    }),
    group(
      'jobs',
      'Jobs',
      jobs.jobs.length === 0 ? 'none' : `${running} of ${jobs.maxConcurrent} run, ${waiting} wait`,
      'play',
      {
        rows: jobs.jobs.map((job) => jobRow(job, nowMs)),
        isOpen: false,
      },
    ),
  ];
}

/** @param key of a row anywhere below */
export function findRow(rows: readonly ServiceRow[], key: string): ServiceRow | undefined {
  for (const row of rows) {
    const found = row.key === key ? row : findRow(row.children, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function parentOf(rows: readonly ServiceRow[], key: string): ServiceRow | undefined {
  for (const row of rows) {
    if (row.children.some((child) => child.key === key)) return row;
    const found = parentOf(row.children, key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function row(given: Partial<ServiceRow> & Pick<ServiceRow, 'key' | 'label' | 'description' | 'icon'>): ServiceRow {
  const { label, description } = given;
  const spoken = [label, description].filter(Boolean).join(', ');
  return {
    context: '',
    tooltip: spoken,
    spoken,
    children: [],
    isOpen: false,
    username: undefined,
    ...given,
  };
}

function group(
  key: string,
  label: string,
  description: string,
  icon: string,
  { rows, isOpen }: { rows: ServiceRow[]; isOpen: boolean },
): ServiceRow {
  return row({ key, label, description, icon, context: `group+${key}`, children: rows, isOpen });
}

function healthRow({ health, startedMs }: AdminStatus, nowMs: number): ServiceRow {
  const { problems, version, engine } = health;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return row({
    key: 'health',
    label: 'Health',
    description: problems.length === 0 ? 'well' : count,
    icon: problems.length === 0 ? 'pass' : 'warning',
    context: 'health',
    tooltip: [
      `Spoon ${version}`,
      engine === 'none' ? 'No boxes' : `Boxes on ${engine}`,
      `Up since ${timeText(startedMs, nowMs)}`,
    ].join('\n'),
    children: problems.map((problem, index) =>
      row({
        key: `problem ${index}`,
        label: asPlainText(problem),
        description: '',
        icon: 'warning',
        context: 'problem',
      }),
    ),
    isOpen: true,
  });
}

function userRow(user: AdminUser, nowMs: number): ServiceRow {
  const used = user.lastUsedMs === null ? 'never here' : `here ${timeText(user.lastUsedMs, nowMs)}`;
  const facts = [user.displayName, user.disabled ? 'disabled' : '', user.admin ? 'administrator' : '', used];
  const description = asPlainText(facts.filter(Boolean).join(' · '));
  const stored = `${user.dotfiles} dotfiles, ${inBytes(user.storedBytes)} stored with their history`;
  return row({
    key: `user ${user.username}`,
    label: user.username,
    description,
    icon: user.disabled ? 'circle-slash' : user.admin ? 'shield' : 'account',
    context: `user+${user.disabled ? 'disabled' : 'enabled'}`,
    tooltip: [`${user.username}: ${description}`, `Box: ${user.box}`, stored].join('\n'),
    spoken: `User ${user.username}, ${description}, ${stored}`,
    username: user.username,
  });
}

function boxRow(box: BoxSummary, nowMs: number): ServiceRow {
  const { username, state, startedMs, load, stopsAtMs, holders = [] } = box;
  const loadText =
    load === undefined
      ? ''
      : `${load.cpuPercent} % CPU · ${inBytes(load.memoryBytes)} of ${inBytes(load.memoryLimitBytes)} · ${load.processes} processes`;
  const description = [state === 'running' ? '' : state, loadText].filter(Boolean).join(' · ');
  const since = startedMs === null ? '' : `Since ${new Date(startedMs).toLocaleString()}`;
  const stops = stopsAtMs === null || stopsAtMs === undefined ? '' : `Stops ${timeText(stopsAtMs, nowMs)} unless used`;
  return row({
    key: `box ${username}`,
    label: username,
    description,
    icon: state === 'running' ? 'vm-running' : state === 'failed' ? 'warning' : 'vm-outline',
    context: `box+${state}`,
    tooltip: [`Box of ${username}, ${state}`, loadText, since, stops].filter(Boolean).join('\n'),
    spoken: [`Box of ${username}, ${state}`, loadText, stops].filter(Boolean).join(', '),
    children: holders.map(({ kind, count }) => {
      const what = holderWords[kind] ?? [kind, kind];
      const label = count === 1 ? `1 ${what[0]}` : `${count} ${what[1]}`;
      return row({
        key: `holder ${username} ${kind}`,
        label,
        description: 'holds it',
        icon: 'link',
        context: 'holder',
      });
    }),
    username,
  });
}

const holderWords: Readonly<Record<string, readonly [one: string, many: string]>> = {
  viewer: ['terminal that somebody looks at', 'terminals that somebody looks at'],
  terminal: ['busy terminal', 'busy terminals'],
  command: ['command', 'commands'],
  job: ['job', 'jobs'],
  pin: ['wish of its user', 'wishes of its user'],
};

function jobRow({ id, username, state, createdMs, startedMs }: AdminJob, nowMs: number): ServiceRow {
  const when =
    startedMs === null ? `waits since ${timeText(createdMs, nowMs)}` : `started ${timeText(startedMs, nowMs)}`;
  return row({
    key: `job ${id}`,
    label: username,
    description: `${state}, ${when}`,
    icon: startedMs === null ? 'clock' : 'play',
    context: 'job',
    spoken: `Job of ${username}, ${state}, ${when}`,
    username,
  });
}

function diskRow({ holds, freeBytes, totalBytes }: DiskSpace): ServiceRow {
  const isShort = totalBytes > 0 && freeBytes / totalBytes < nearlyFull;
  const label = holds === 'all' ? 'Disk' : holds === 'database' ? 'Disk of the database' : 'Disk of the homes';
  const description = `${inBytes(freeBytes)} of ${inBytes(totalBytes)} free${isShort ? ', nearly full' : ''}`;
  return row({ key: `disk ${holds}`, label, description, icon: isShort ? 'warning' : 'database', context: 'disk' });
}
