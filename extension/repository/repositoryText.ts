import type { StageReport } from '../../protocol/boxes.ts';
import { errorTable } from '../../protocol/errors.ts';
import type { RepositoryRun, RepositoryState } from '../../protocol/repository.ts';
import { isLostCommit } from '../../protocol/repositoryAddress.ts';
import { isRefused } from '../../protocol/repositoryCredential.ts';
import { timeText } from '../dotfiles/timeText.ts';

/** What the first row of the tree says of the dotfiles repository. No VS Code in here. */

/** `https://github.com/ada/dotfiles` → `ada/dotfiles`. */
export function repositoryName(url: string): string {
  return new URL(url).pathname.replace(/^\/|\.git$/g, '');
}

export type RepositoryMood = 'off' | 'waiting' | 'running' | 'ok' | 'update' | 'failed' | 'cancelled';

export function moodOf({ settings, available, run }: RepositoryState): RepositoryMood {
  if (settings?.enabled === false) return 'off';
  if (run === null) return 'waiting';
  if (run.state === 'ok') return available === null ? 'ok' : 'update';
  return run.state;
}

/** Of the tree's row, beside the name. */
export function summary(state: RepositoryState, nowMs: number): string {
  const { run } = state;
  switch (moodOf(state)) {
    case 'off':
      return 'switched off';
    case 'waiting':
      return 'set up when your box starts';
    case 'running':
      return run?.stages.some(({ name }) => name === 'setup') ? 'running its setup…' : 'fetching…';
    case 'failed':
      return `${failedText(run)} · ${ageOf(run, nowMs)}`;
    case 'cancelled':
      return `cancelled · ${ageOf(run, nowMs)}`;
    case 'update':
      return `update available · ${ageOf(run, nowMs)}`;
    case 'ok':
      return `${tookText(run)} · ${ageOf(run, nowMs)}`;
  }
}

function failedText(run: RepositoryRun | null): string {
  const stage = failedStage(run);
  if (stage === undefined) return 'failed';
  const code = stage.exitCode === undefined ? '' : ` (exit ${stage.exitCode})`;
  return `${stage.name === 'repository' ? 'not fetched' : 'setup failed'}${code}`;
}

function failedStage(run: RepositoryRun | null): StageReport | undefined {
  return run?.stages.find((stage) => stage.state === 'failed');
}

function tookText(run: RepositoryRun | null): string {
  if (run === null || run.endedMs === null) return 'set up';
  return `set up in ${duration(run.endedMs - run.startedMs)}`;
}

function ageOf(run: RepositoryRun | null, nowMs: number): string {
  return run === null ? '' : timeText(run.endedMs ?? run.startedMs, nowMs, 'en');
}

export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** For a tooltip: plain lines. */
export function details({ settings, commit, available, run }: RepositoryState): string[] {
  if (settings === null) return [];
  return [
    settings.url,
    `Ref: ${settings.ref ?? 'its default branch'}${settings.always ? ', always the newest' : ''}`,
    ...(settings.submodules ? ['With submodules'] : []),
    ...(settings.lfs ? ['With large files (Git LFS)'] : []),
    `Commit: ${commit?.slice(0, 12) ?? 'not fetched yet'}`,
    ...(available === null ? [] : [`Update: ${available.slice(0, 12)}`]),
    ...(run === null ? [] : run.stages.map(stageText)),
    ...(run === null ? [] : run.notes),
  ];
}

export function stageText({ name, state, durationMs, exitCode, detail }: StageReport): string {
  const code = exitCode === undefined ? '' : `, exit code ${exitCode}`;
  const took = state === 'running' ? '' : ` in ${duration(durationMs)}`;
  return `${name}: ${state}${took}${code}${detail === undefined ? '' : `. ${detail}`}`;
}

/** What happened, what is still fine; the buttons are what to do. */
export function failureNotice(run: RepositoryRun): string {
  const stage = failedStage(run);
  const what =
    stage?.name === 'repository'
      ? 'Your dotfiles repository could not be fetched.'
      : 'The setup of your dotfiles repository failed.';
  // The same once more, in the words of the table.
  const why = (stage?.detail ?? run.notes.at(-1) ?? '').replace(`${errorTable['repository-unavailable'].title} `, '');
  return [what, why, 'Terminals open as before, with your dotfiles in Spoon.'].filter(Boolean).join(' ');
}

export type Remedy = 'access' | 'check' | 'configure' | 'log' | 'retry' | 'run';

/** What a person can do about a run that failed, the best first. */
export function remedies({ stages }: RepositoryRun): Remedy[] {
  const stage = stages.find(({ state }) => state === 'failed');
  if (isRefused(stages)) return ['access', 'configure', 'log'];
  if (isLostCommit(stages)) return ['check', 'configure', 'log'];
  if (stage?.name === 'repository') {
    const isForGood = (['repository-moved', 'repository-refused', 'ref-missing'] as const).some((code) =>
      stage.detail?.startsWith(errorTable[code].title),
    );
    return isForGood ? ['configure', 'retry', 'log'] : ['retry', 'configure', 'log'];
  }
  // Before the same is run once more, its name or the script itself has to be another.
  if (stage?.detail?.endsWith('is not in the repository. Nothing was run.')) return ['configure', 'check', 'log'];
  return stage?.detail?.endsWith('Nothing was run.') ? ['check', 'configure', 'log'] : ['log', 'run'];
}

/** Of two reports, whether the first one is the older. */
export function isEarlier(run: RepositoryRun, other: RepositoryRun): boolean {
  if (run.startedMs !== other.startedMs) return run.startedMs < other.startedMs;
  if (run.endedMs !== null || other.endedMs !== null) return run.endedMs === null;
  return run.stages.length < other.stages.length;
}
