import type { RepositoryRun } from '../../protocol/repository.ts';

/** Runs whose end boxd did not tell. */

/** @param run as it was last heard of @param why for a person */
export function brokenRun(run: RepositoryRun | undefined, why: string): RepositoryRun {
  const endedMs = Date.now();
  const startedMs = run?.startedMs ?? endedMs;
  const stages = (run?.stages ?? []).map((stage) =>
    stage.state === 'running'
      ? { ...stage, state: 'failed' as const, durationMs: Math.max(0, endedMs - stage.startedMs), detail: why }
      : stage,
  );
  const [commit, script] = [run?.commit ?? null, run?.script ?? null];
  return { state: 'failed', startedMs, endedMs, commit, script, stages, notes: [why], manager: null };
}

/** What a repository had made was taken back. */
export function restoringRun(notes: readonly string[]): RepositoryRun {
  const now = Date.now();
  const times = { startedMs: now, endedMs: now };
  return { state: 'ok', ...times, commit: null, script: null, stages: [], notes: [...notes], manager: null };
}
