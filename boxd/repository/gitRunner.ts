import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import type { Git, GitResult } from '../git/runGit.ts';
import { limitGrowth } from './limitGrowth.ts';

export interface CheckoutParts {
  readonly git: Git;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly credential: BoxdCredential | null;
  /** What a fetch may bring. */
  readonly maxBytes: number;
  /** What git said, for the log. */
  readonly say: (text: string) => void;
}

/** @param onOutput as of `GitCall`: each piece of standard output, instead of keeping it */
export type RunGit = (
  cwd: string,
  args: readonly string[],
  environment?: Record<string, string>,
  onOutput?: (chunk: Buffer) => boolean,
) => Promise<GitResult>;

/** What these say is for the log; the others only ask questions of our own. */
const told: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote', 'checkout', 'reset']);
const remote: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote']);

/** git with one deadline for all that a checkout takes, and one size for what each fetch brings. */
export function runner(parts: Omit<CheckoutParts, 'home'>, deadlineMs: number): RunGit {
  const { git, signal, say, credential, maxBytes } = parts;
  return async (cwd, args, environment, onOutput) => {
    const isRemote = remote.has(args[0] ?? '');
    using limit = isRemote ? limitGrowth(`${cwd}/.git/objects`, maxBytes) : undefined;
    const result = await git.run({
      args,
      cwd,
      trust: 'guarded',
      timeoutMs: Math.max(1, deadlineMs - Date.now()),
      signal: limit === undefined ? signal : AbortSignal.any([signal, limit.signal]),
      ...(environment && { environment }),
      ...(onOutput && { onOutput }),
      ...(credential !== null && isRemote && { credential }),
    });
    limit?.check();
    if (result.stderr !== '' && told.has(args[0] ?? '')) say(`${result.stderr}\n`);
    return result;
  };
}
