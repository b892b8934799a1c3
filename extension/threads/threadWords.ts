import type { Box, Holder } from '../../protocol/boxes.ts';
import type { Terminal } from '../../protocol/terminals.ts';
import type { CheckoutProgress, CheckoutStatus, UpdateOutcome } from '../../protocol/threads.ts';

/** What the Threads view and its questions say, in plain words. No VS Code in here. */

/** Short, beside the name: `3 changed · 2 unpushed · ↓1`. Empty for a clean one. */
export function statusInBrief(status: CheckoutStatus | null, branch: string): string {
  if (status === null) return '';
  if (status.state === 'missing') return 'no checkout';
  if (status.state === 'broken') return 'cannot be read';
  if (status.state === 'busy') return 'git works…';
  return [
    ...(status.operation === undefined ? [] : [status.operation]),
    ...(status.branch === null ? ['no branch'] : status.branch === branch ? [] : [`on ${status.branch}`]),
    ...(status.dirty === 0 ? [] : [`${counted(status.dirty, status.dirtyMore)} changed`]),
    ...(status.unpushed === 0 ? [] : [`${counted(status.unpushed, status.unpushedMore)} unpushed`]),
    ...(status.behind === null || status.behind === 0 ? [] : [`↓${status.behind}`]),
  ].join(' · ');
}

/** The same as sentences, for a tooltip and a screen reader. */
export function statusInWords(status: CheckoutStatus | null): string[] {
  if (status === null) return ['Not looked at while the box is off.'];
  if (status.state === 'missing') return ['Its folder is not there.'];
  if (status.state === 'broken') return [`git cannot read it: ${status.detail ?? 'no reason given'}`];
  if (status.state === 'busy') return ['git works in it just now.'];
  const lines = [status.branch === null ? 'No branch is checked out.' : `On branch ${status.branch}.`];
  if (status.operation !== undefined) lines.push(`A ${status.operation} is under way.`);
  lines.push(status.dirty === 0 ? 'Nothing changed.' : `${files(status.dirty, status.dirtyMore)} changed.`);
  lines.push(
    status.unpushed === 0 ? 'Everything is pushed.' : `${commits(status.unpushed, status.unpushedMore)} not pushed.`,
  );
  if (status.behind !== null && status.behind > 0) lines.push(`${commits(status.behind)} to fetch.`);
  if (status.stashes > 0) lines.push(`${status.stashes} stashed.`);
  return lines;
}

export function viewersInWords({ viewers }: Pick<Terminal, 'viewers'>): string {
  return viewers === 0 ? 'nobody watches' : viewers === 1 ? '1 viewer' : `${viewers} viewers`;
}

/** What the view's title says of the box. */
export function boxInBrief(box: Box | undefined, nowMs: number): string {
  if (box === undefined) return '';
  switch (box.state) {
    case 'starting':
      return 'box is starting';
    case 'stopping':
      return 'box is stopping';
    case 'failed':
      return 'box has failed';
    case 'stopped':
      return 'box is off';
    case 'running':
      if (box.silentMs !== undefined) return 'box does not answer';
      return box.stopsAtMs === null
        ? `box is on, ${heldInBrief(box.holders)}`
        : `box stops ${inTime(box.stopsAtMs - nowMs)}`;
  }
}

function heldInBrief(holders: readonly Holder[]): string {
  if (holders.length === 0) return 'nothing holds it';
  const pin = holders.find(({ kind }) => kind === 'pin');
  if (pin !== undefined) return 'kept by you';
  const commands = holders.filter(({ kind }) => kind === 'command').length;
  const jobs = holders.filter(({ kind }) => kind === 'job').length;
  const terminals = holders.length - commands - jobs;
  const counts = [
    ...(terminals === 0 ? [] : [terminals === 1 ? '1 terminal' : `${terminals} terminals`]),
    ...(commands === 0 ? [] : [commands === 1 ? '1 command' : `${commands} commands`]),
    ...(jobs === 0 ? [] : [jobs === 1 ? '1 job' : `${jobs} jobs`]),
  ];
  return `held by ${counts.join(' and ')}`;
}

/** For *Why Is My Box Up*: one line each. */
/** @param keptUntil when a pin ends, in words of the place that says it */
export function holderInWords({ kind, label }: Holder, keptUntil?: string): { what: string; why: string } {
  switch (kind) {
    case 'viewer':
      return { what: label || 'Terminal', why: 'A terminal that somebody looks at' };
    case 'terminal':
      return { what: label || 'Terminal', why: 'A program runs in a terminal that nobody looks at' };
    case 'command':
      return { what: label, why: 'A command runs' };
    case 'job':
      return { what: label, why: 'An agent job runs' };
    case 'pin':
      return { what: keptUntil === undefined ? label : `Until ${keptUntil}`, why: 'You asked to keep it' };
    default:
      return { what: label, why: kind };
  }
}

export function progressInWords({ phase, percent, receivedBytes }: CheckoutProgress): string {
  const share = percent === null ? '' : ` ${percent} %`;
  switch (phase) {
    case 'starting-box':
      return 'Starting your box…';
    case 'connecting':
      return 'Asking the repository…';
    case 'receiving':
      return `Receiving${share}${receivedBytes === null ? '' : `, ${inBytes(receivedBytes)}`}…`;
    case 'resolving':
      return `Putting together${share}…`;
    case 'checking-out':
      return `Checking out${share}…`;
  }
}

export function updateInWords({ result, commits: count }: UpdateOutcome): string {
  switch (result) {
    case 'up-to-date':
      return 'nothing new.';
    case 'fast-forwarded':
      return `${commits(count)} came in.`;
    case 'diverged':
      return 'both sides have commits of their own. Merge or rebase in a terminal.';
    case 'blocked':
      return 'unsaved changes are in the way. Commit or stash them, then update again.';
    case 'no-upstream':
      return 'the branch has no counterpart in the repository. Push it, then update again.';
  }
}

export function inTime(ms: number): string {
  if (ms < 60_000) return 'in less than a minute';
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `in ${minutes} minutes`;
  return `in ${Math.round(minutes / 60)} hours`;
}

export function inBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

function counted(count: number, isMore: boolean): string {
  return `${count}${isMore ? '+' : ''}`;
}

function files(count: number, isMore = false): string {
  return `${counted(count, isMore)} ${count === 1 ? 'file' : 'files'}`;
}

function commits(count: number, isMore = false): string {
  return `${counted(count, isMore)} ${count === 1 ? 'commit' : 'commits'}`;
}
