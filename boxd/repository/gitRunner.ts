import type { Git, GitResult } from '../git/runGit.ts';

export interface CheckoutParts {
  readonly git: Git;
  readonly home: string;
  readonly signal: AbortSignal;
  /** What git said, for the log. */
  readonly say: (text: string) => void;
}

export type RunGit = (cwd: string, args: readonly string[], environment?: Record<string, string>) => Promise<GitResult>;

/** git with one deadline for all that a checkout takes. */
export function runner({ git, signal, say }: Omit<CheckoutParts, 'home'>, deadlineMs: number): RunGit {
  return async (cwd, args, environment) => {
    const timeoutMs = Math.max(1, deadlineMs - Date.now());
    const result = await git.run({
      args,
      cwd,
      trust: 'guarded',
      timeoutMs,
      signal,
      ...(environment && { environment }),
    });
    if (result.stderr !== '') say(`${result.stderr}\n`);
    return result;
  };
}
