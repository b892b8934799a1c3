import { SpoonError } from '../../protocol/errors.ts';
import { maxGenerations } from '../../protocol/limits.ts';
import type {
  PreviewRepositoryRequest,
  RepositoryGeneration,
  RepositoryGenerations,
  RepositoryRun,
  RepositorySettings,
} from '../../protocol/repository.ts';
import type { StoredRepository } from './repositoryRecords.ts';
import { isApplied, readSettings, withSettings } from './repositorySettings.ts';

/** What follows the end of a run. @param of whose run it was: of one that was replaced meanwhile nothing follows */
export function withEnded(
  before: StoredRepository,
  run: RepositoryRun,
  of: Pick<RepositorySettings, 'url' | 'ref'> | undefined,
): StoredRepository {
  if (before.settings?.url !== of?.url || before.settings?.ref !== of?.ref || run.commit === null) return before;
  const available = before.available === run.commit ? null : before.available;
  return withGeneration({ ...before, commit: before.commit ?? run.commit, available }, run);
}

/** A generation more, unless it was the last one once again. */
function withGeneration(before: StoredRepository, run: RepositoryRun): StoredRepository {
  const { settings, generations = [] } = before;
  if (run.state !== 'ok' || run.commit === null || run.endedMs === null || settings === null) return before;
  const last = generations.at(-1);
  const isSame = last !== undefined && last.commit === run.commit && isSameSource(last.settings, settings);
  const number = isSame ? last.number : (last?.number ?? 0) + 1;
  const next = { number, endedMs: run.endedMs, commit: run.commit, settings, script: run.script };
  return {
    ...before,
    generations: [...(isSame ? generations.slice(0, -1) : generations), next].slice(-maxGenerations),
  };
}

export function generationsOf(stored: StoredRepository, run: RepositoryRun | null): RepositoryGenerations {
  const { settings, generations = [] } = stored;
  const isCurrent = isApplied(stored) && settings !== null && run?.state === 'ok';
  const current = isCurrent
    ? generations.findLast(({ commit, settings: of }) => commit === run.commit && isSameSource(of, settings))
    : undefined;
  return { generations: generations.toReversed(), current: current?.number ?? null };
}

/** @throws SpoonError `not-found` */
export function findGeneration({ generations = [] }: StoredRepository, number: number): RepositoryGeneration {
  const found = generations.find((generation) => generation.number === number);
  if (found === undefined) throw new SpoonError('not-found', `There is no generation ${number} any more.`);
  return found;
}

/** Its commit counts, and nothing newer is taken by itself. @param number 0: switched off, and given back what was there before */
export function withRolledBack(before: StoredRepository, number: number): StoredRepository {
  if (number === 0) {
    if (before.settings === null) return before;
    return withSettings(before, { ...before.settings, enabled: false });
  }
  const { settings, commit } = findGeneration(before, number);
  const after = withSettings(before, { ...settings, always: false, enabled: true });
  const newest = after.available ?? after.commit;
  return { ...after, commit, available: newest === commit ? null : newest };
}

/** What would count, for a look at it; nothing is kept. @throws SpoonError `not-found`; as `readSettings` */
export function previewed(
  { update, generation, settings }: PreviewRepositoryRequest,
  stored: StoredRepository,
  gitHosts: readonly string[],
): StoredRepository {
  if (settings !== undefined) return withSettings(stored, readSettings(settings, gitHosts), settings.commit);
  if (generation !== undefined) return withRolledBack(stored, generation);
  return update ? { ...stored, commit: stored.available ?? stored.commit } : stored;
}

function isSameSource(a: RepositorySettings, b: RepositorySettings): boolean {
  const isSameSetup = a.setup === b.setup && a.manager === b.manager;
  return a.url === b.url && a.ref === b.ref && isSameSetup && a.submodules === b.submodules && a.lfs === b.lfs;
}
