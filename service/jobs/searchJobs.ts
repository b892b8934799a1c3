import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobSearchResult } from '../../protocol/jobs.ts';
import { maxJobMatches } from '../../protocol/limits.ts';
import { plainLog } from '../../protocol/plainText.ts';
import type { StoredJob } from './jobRecords.ts';
import { titleOf } from './jobWords.ts';
import { inOnePiece, type Part } from './keptLog.ts';

/** Logs are sealed, so each is opened and read: what has been found by then is the answer. */
const searchMs = 10_000;
const shownCharacters = 300;

/** Lines that hold a text, in any case: of prompts, and of logs as text. @param jobs the newest first */
export async function searchJobs(
  jobs: readonly StoredJob[],
  text: string,
  { logParts, signal }: { logParts: (job: StoredJob) => AsyncIterable<Part>; signal: AbortSignal },
): Promise<JobSearchResult> {
  const matches: JobSearchResult['matches'] = [];
  const wanted = text.toLowerCase();
  const untilMs = performance.now() + searchMs;
  for (const job of jobs) {
    signal.throwIfAborted();
    if (performance.now() > untilMs) return { matches, truncated: true };
    const shown = { job: job.id, thread: `${job.spoon}/${job.branch}`, title: titleOf(job.prompt) };
    const inPrompt = linesWith(job.prompt, wanted).map((found) => ({ ...shown, line: null, text: found.text }));
    const log = plainLog((await inOnePiece(logParts(job))).toString('utf8'));
    const inLog = linesWith(log, wanted).map((found) => ({ ...shown, ...found }));
    for (const match of [...inPrompt, ...inLog]) {
      if (matches.length === maxJobMatches) return { matches, truncated: true };
      matches.push(match);
    }
    // Megabytes of one log are enough for one turn.
    await nextTurn();
  }
  return { matches, truncated: false };
}

function linesWith(text: string, wanted: string): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const at = line.toLowerCase().indexOf(wanted);
    if (at < 0) continue;
    // So that what was looked for is in sight, also in a line without an end.
    const from = Math.max(0, at - shownCharacters / 2);
    found.push({ line: index + 1, text: line.slice(from, from + shownCharacters) });
    if (found.length > maxJobMatches) break;
  }
  return found;
}
