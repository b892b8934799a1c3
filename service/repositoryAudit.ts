import type { AuditDetails } from '../protocol/audit.ts';
import type { RepositoryRun } from '../protocol/repository.ts';
import type { AuditTrail } from './auditTrail.ts';

interface EndedRun {
  readonly url: string | undefined;
  readonly run: RepositoryRun;
}

/** Of the dotfiles repository: what was fetched, and how its setup ended. Neither a path nor what it printed. */
export function noteRun(trail: AuditTrail, userId: string, { url, run }: EndedRun): void {
  for (const [name, event] of [
    ['repository', 'repository.clone'],
    ['setup', 'setup.run'],
  ] as const) {
    const stage = run.stages.find((each) => each.name === name);
    if (stage === undefined) continue;
    const details: AuditDetails = {
      ...(name === 'repository' && url !== undefined ? { url: withoutCredentials(url) } : {}),
      ...commitOf(run.commit),
      ...(stage.exitCode === undefined ? {} : { exitCode: stage.exitCode }),
      durationMs: Math.round(stage.durationMs),
      state: stage.state,
    };
    trail.besideOf(userId, { event, result: stage.state === 'ok' ? 'done' : 'refused', object: null, details });
  }
}

/** Of a thread: what its folder was made from. */
export function noteCheckout(
  trail: AuditTrail,
  userId: string,
  made: { readonly threadId: string; readonly url: string; readonly commit: string },
): void {
  const { threadId, url, commit } = made;
  const details = { url: withoutCredentials(url), ...commitOf(commit) };
  trail.besideOf(userId, { event: 'thread.clone', result: 'done', object: threadId, details });
}

/** A box says which, and could say anything. */
function commitOf(commit: string | null): AuditDetails {
  return commit !== null && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit) ? { commit } : {};
}

/** None are let in (row 80); here it would be there for good. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/s, '');
}
