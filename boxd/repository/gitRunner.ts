import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import type { Git, GitResult } from '../git/runGit.ts';

export interface CheckoutParts {
  readonly git: Git;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly credential: BoxdCredential | null;
  /** What git said, for the log. */
  readonly say: (text: string) => void;
}

export type RunGit = (cwd: string, args: readonly string[], environment?: Record<string, string>) => Promise<GitResult>;

/** What these say is for the log; the others only ask questions of our own. */
const told: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote', 'checkout', 'reset']);
const remote: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote']);

/** git with one deadline for all that a checkout takes. */
export function runner({ git, signal, say, credential }: Omit<CheckoutParts, 'home'>, deadlineMs: number): RunGit {
  return async (cwd, args, environment) => {
    const timeoutMs = Math.max(1, deadlineMs - Date.now());
    const result = await git.run({
      args,
      cwd,
      trust: 'guarded',
      timeoutMs,
      signal,
      ...(environment && { environment }),
      ...(credential !== null && remote.has(args[0] ?? '') && { credential }),
    });
    if (result.stderr !== '' && told.has(args[0] ?? '')) say(`${result.stderr}\n`);
    return result;
  };
}
