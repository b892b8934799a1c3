import type { Job, JobChanges, JobDetails } from '../../protocol/jobs.ts';
import { formatTime } from '../commandLine.ts';
import { inWords } from './duration.ts';

const shortCharacters = 8;

/** Enough of the id for people; commands take it. */
export function shortId({ id }: Pick<Job, 'id'>): string {
  return id.slice(0, shortCharacters);
}

export function stateText({ state, ahead, exitCode, startedMs, endedMs }: Job): string {
  const took = startedMs === null || endedMs === null ? '' : ` after ${inWords(endedMs - startedMs)}`;
  switch (state) {
    case 'queued':
      return ahead === null || ahead === 0 ? 'next in line' : `waits behind ${ahead}`;
    case 'succeeded':
      return `done${took}`;
    case 'failed':
      return `failed${exitCode === null ? '' : ` (${exitCode})`}${took}`;
    case 'timed-out':
      return `timed out${took}`;
    default:
      return state;
  }
}

export function changesText({ changes }: Job): string {
  if (changes === null) return '-';
  const { files, insertions, deletions, commits } = changes;
  if (files === 0 && commits === 0) return 'none';
  const parts = [`${files} ${files === 1 ? 'file' : 'files'} +${insertions} -${deletions}`];
  if (commits > 0) parts.push(`${commits} ${commits === 1 ? 'commit' : 'commits'}`);
  return parts.join(', ');
}

/** For `jobs show`. */
export function detailsText({ job, prompt, command, changes, notes }: JobDetails): string {
  const facts = [
    `Job      ${job.id}`,
    `Thread   ${job.thread}`,
    `State    ${stateText(job)}${job.detail === null ? '' : `. ${job.detail}`}`,
    `Asked    ${formatTime(job.createdMs)}`,
    `Started  ${formatTime(job.startedMs)}`,
    `Ended    ${formatTime(job.endedMs)}`,
    `Limit    ${inWords(job.timeLimitMs)}`,
    `Command  ${command.join(' ')}`,
    `Output   ${job.outputBytes} bytes`,
    `Changes  ${changesText(job)}`,
  ];
  return [...facts, ...notes, ...(changes === null ? [] : changeLines(changes)), '', prompt].join('\n');
}

function changeLines({ files, fileCount, commits, commitCount }: JobChanges): string[] {
  const lines = [
    ...commits.map(({ id, subject }) => `  ${id.slice(0, 12)} ${subject}`),
    ...files.map(({ path, insertions, deletions }) => `  ${path} +${insertions ?? '?'} -${deletions ?? '?'}`),
  ];
  const more = fileCount - files.length + (commitCount - commits.length);
  return more === 0 ? lines : [...lines, `  and ${more} more`];
}
