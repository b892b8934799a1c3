import type { JobEnd } from '../../protocol/boxdJobs.ts';
import type { EndedJobState, Job, JobState } from '../../protocol/jobs.ts';
import { maxJobNamesLength } from '../../protocol/limits.ts';
import { onOneLine } from '../../protocol/plainText.ts';
import type { StoredJob } from './jobRecords.ts';

const titleCharacters = 120;

/** A job as its user sees it. */
export function describeJob(
  stored: StoredJob,
  live: { state: JobState; ahead: number | null; outputBytes: number } | undefined,
): Job {
  const { id, spoon, branch, prompt, createdMs, startedMs, endedMs, timeLimitMs, retryOf, end } = stored;
  const changes = end?.changes ?? null;
  return {
    id,
    thread: `${spoon}/${branch}`,
    title: titleOf(prompt),
    state: live?.state ?? stored.state,
    detail: end?.detail ?? null,
    ahead: live?.ahead ?? null,
    createdMs,
    startedMs,
    endedMs,
    timeLimitMs,
    exitCode: end?.exitCode ?? null,
    outputBytes: live?.outputBytes ?? stored.outputBytes,
    changes: changes && {
      files: changes.fileCount,
      insertions: changes.insertions,
      deletions: changes.deletions,
      commits: changes.commitCount,
    },
    retryOf,
  };
}

export function titleOf(prompt: string): string {
  const [line = ''] = prompt.trim().split('\n');
  const letters = [...onOneLine(line).trim()];
  return letters.length <= titleCharacters ? letters.join('') : `${letters.slice(0, titleCharacters - 1).join('')}…`;
}

/** What an end of the agent means, and what to say of it. */
export function endOf(
  { exitCode, signal, why }: JobEnd,
  { program, timeLimitMs }: { program: string; timeLimitMs: number },
): { state: EndedJobState; detail: string | null } {
  if (why === 'cancelled') return { state: 'cancelled', detail: null };
  if (why === 'time-limit') {
    return { state: 'timed-out', detail: `It ran longer than ${durationInWords(timeLimitMs)} and was ended.` };
  }
  if (exitCode === 0) return { state: 'succeeded', detail: null };
  const name = onOneLine(program);
  if (signal !== null) return { state: 'failed', detail: `${onOneLine(signal)} ended it.` };
  if (exitCode === 127) {
    return {
      state: 'failed',
      detail: `${name} was not found in the box. SPOON_AGENT_COMMAND of the service names it.`,
    };
  }
  if (exitCode === 126) return { state: 'failed', detail: `${name} may not be executed in the box.` };
  return { state: 'failed', detail: `${name} ended with exit code ${exitCode}.` };
}

/** Where the box has said nothing of an end that should have come. */
export function overdue(cancelled: boolean): { state: EndedJobState; detail: string } {
  const detail = 'Its box has not said that it ended. To be sure that it has, restart the box.';
  return { state: cancelled ? 'cancelled' : 'timed-out', detail };
}

/** The two largest units: `1 h 5 min`. */
export function durationInWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  const shown = units.slice(Math.max(0, first), Math.max(0, first) + 2).filter(([count]) => count > 0);
  return shown.length === 0 ? '0 s' : shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}

/** What a box says of files and commits is shown in lists, and kept for every job: of a great many only the first. */
export function plainChanges(end: JobEnd | undefined): JobEnd['changes'] {
  const changes = end?.changes ?? null;
  if (changes === null) return null;
  const files = changes.files.map((file) => ({ ...file, path: onOneLine(file.path) }));
  const commits = changes.commits.map(({ id, subject }) => ({ id: onOneLine(id), subject: onOneLine(subject) }));
  return {
    ...changes,
    files: firstOf(files, ({ path }) => path.length),
    commits: firstOf(commits, ({ id, subject }) => id.length + subject.length),
  };
}

function firstOf<T>(all: readonly T[], lengthOf: (one: T) => number): T[] {
  let length = 0;
  return all.filter((one) => {
    length += lengthOf(one);
    return length <= maxJobNamesLength;
  });
}
