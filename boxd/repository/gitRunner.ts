import type { BoxdCredential } from '../../protocol/boxdRepository.ts';
import { gitError } from '../git/gitErrors.ts';
import type { Git, GitResult } from '../git/runGit.ts';
import { limitGrowth } from './limitGrowth.ts';

export interface CheckoutParts {
  readonly git: Git;
  readonly home: string;
  readonly signal: AbortSignal;
  readonly credential: BoxdCredential | null;
  /** What all fetches together may bring. */
  readonly maxBytes: number;
  /** What git said, for the log. */
  readonly say: (text: string) => void;
}

interface RunOptions {
  readonly environment?: Record<string, string>;
  /** Where that which comes is kept; default: with the objects of the checkout. */
  readonly growsAt?: string;
  /** As of `GitCall`: each piece of standard output, instead of keeping it. */
  readonly onOutput?: (chunk: Buffer) => boolean;
}

export type RunGit = (cwd: string, args: readonly string[], options?: RunOptions) => Promise<GitResult>;

/** What these say is for the log; the others only ask questions of our own. */
const told: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote', 'checkout', 'reset', 'submodule', 'lfs']);
const remote: ReadonlySet<string> = new Set(['clone', 'fetch', 'ls-remote', 'submodule', 'lfs']);

/** git with one deadline and one size for all that a checkout takes. */
export function runner(parts: Omit<CheckoutParts, 'home'>, deadlineMs: number): RunGit {
  const { git, signal, say, credential, maxBytes } = parts;
  let broughtBytes = 0;
  return async (cwd, args, { environment, onOutput, growsAt = `${cwd}/.git/objects` } = {}) => {
    const command = args.find((arg) => /^[a-z]/.test(arg) && !arg.includes('=')) ?? '';
    const isRemote = remote.has(command);
    // Submodules come over https alone, and a deploy key is for ssh.
    const isMeant = credential !== null && isRemote && !(command === 'submodule' && credential.kind === 'key');
    using limit = isRemote ? limitGrowth(growsAt, { maxBytes, broughtBytes }) : undefined;
    const result = await git.run({
      args,
      cwd,
      trust: 'guarded',
      timeoutMs: Math.max(1, deadlineMs - Date.now()),
      signal: limit === undefined ? signal : AbortSignal.any([signal, limit.signal]),
      ...(environment && { environment }),
      ...(onOutput && { onOutput }),
      ...(isMeant && { credential }),
    });
    if (limit !== undefined) broughtBytes = limit.check();
    if (result.stderr !== '' && told.has(command)) say(`${result.stderr}\n`);
    return result;
  };
}

/** @throws SpoonError what git's words mean */
export async function must(done: GitResult | Promise<GitResult>): Promise<GitResult> {
  const result = await done;
  if (result.code !== 0) throw gitError(result.stderr);
  return result;
}

/** Servers that move `…/repo` to `…/repo.git` are many; any other move is told (decision 13). */
export async function throughRename(url: string, ask: (url: string) => Promise<GitResult>): Promise<GitResult> {
  const result = await ask(url);
  const moved = result.code !== 0 && gitError(result.stderr).code === 'repository-moved';
  return moved && !url.endsWith('.git') ? ask(`${url}.git`) : result;
}
