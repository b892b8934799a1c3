import { isEndedJobState, type Job, type JobState } from '../../protocol/jobs.ts';

/** What the view, the messages and the log say about jobs. No VS Code in here. */

export type JobGroup = 'running' | 'waiting' | 'ended';

export const groupTitles: Readonly<Record<JobGroup, string>> = {
  running: 'Running',
  waiting: 'Waiting',
  ended: 'Ended',
};

export function groupOf(state: JobState): JobGroup {
  if (isEndedJobState(state)) return 'ended';
  return state === 'queued' ? 'waiting' : 'running';
}

const stateWords: Readonly<Record<JobState, string>> = {
  queued: 'waits',
  starting: 'starting',
  running: 'running',
  cancelling: 'being cancelled',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  'timed-out': 'ran out of time',
  lost: 'lost with its box',
};

/** `failed, exit code 3`; `waits, 2 before it` */
export function stateInWords({ state, exitCode, ahead }: Job): string {
  const words = stateWords[state];
  if (state === 'queued' && ahead !== null && ahead > 0) return `${words}, ${ahead} before it`;
  return state === 'failed' && exitCode !== null ? `${words}, exit code ${exitCode}` : words;
}

/** `3 files, +12 −4, 1 commit`; undefined where nothing changed or nothing is known. */
export function changesInWords({ changes }: Job): string | undefined {
  if (changes === null || (changes.files === 0 && changes.commits === 0)) return undefined;
  const parts = [counted(changes.files, 'file'), `+${changes.insertions} −${changes.deletions}`];
  if (changes.commits > 0) parts.push(counted(changes.commits, 'commit'));
  return parts.join(', ');
}

/** How long the agent ran, so far: `1 min 5 s`; undefined for one that never was started. */
export function durationInWords({ startedMs, endedMs }: Job, nowMs: number): string | undefined {
  if (startedMs === null) return undefined;
  const seconds = Math.max(0, Math.round(((endedMs ?? nowMs) - startedMs) / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** One line for a message and the end of a log. */
export function endInWords(job: Job): string {
  const ran = durationInWords(job, job.endedMs ?? 0);
  const facts = [stateInWords(job), ...(ran === undefined ? [] : [`after ${ran}`])].join(' ');
  return [`${facts}.`, job.detail ?? '', `${changesInWords(job) ?? 'No file was changed'}.`].filter(Boolean).join(' ');
}

export type Notify = 'all' | 'failures' | 'none';

/** Whether its owner wants to hear of this end; one's own cancelling is no news. */
export function isWorthTelling({ state }: Job, notify: Notify): boolean {
  if (notify === 'none' || state === 'cancelled') return false;
  return notify === 'all' || state !== 'succeeded';
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
