import { SpoonError } from '../../protocol/errors.ts';
import type { UpdateOutcome } from '../../protocol/threads.ts';
import { isCheckout, look } from './checkoutPlace.ts';
import { localGit } from './checkoutStatus.ts';
import { gitError, lastWords } from './gitErrors.ts';
import { readProgress } from './gitProgress.ts';
import type { OperationContext } from './operations.ts';
import type { Git } from './runGit.ts';

/**
 * *Update*: what is new on the server, then the branch moved forward if that needs no decision. Never a merge, a rebase or a
 * stash: what is only here stays as it is.
 * @throws SpoonError `checkout-missing`, `checkout-broken`, `checkout-busy`, `repository-…`, `git-…`
 */
export async function updateCheckout(
  git: Git,
  home: string,
  { folder, timeoutMs }: { folder: string; timeoutMs: number },
  { signal, onProgress }: OperationContext,
): Promise<UpdateOutcome> {
  if (look(home, folder) === undefined) throw new SpoonError('checkout-missing', `~/${folder}`);
  if (!isCheckout(home, folder)) throw new SpoonError('checkout-broken', `~/${folder} is not a checkout.`);
  const cwd = `${home}/${folder}`;
  let progress = { phase: 'connecting', percent: null, receivedBytes: null } as Parameters<typeof onProgress>[0];
  const fetched = await git.run({
    args: ['fetch', '--progress', '--no-recurse-submodules', 'origin'],
    cwd,
    trust: 'guarded',
    timeoutMs,
    signal,
    onProgress: (text) => {
      progress = readProgress(text, progress);
      onProgress(progress);
    },
  });
  if (fetched.code !== 0) throw gitError(fetched.stderr);
  const ask = async (args: readonly string[]) =>
    (await git.run({ args, cwd, trust: 'local', timeoutMs: 10_000 })).stdout.trim();
  const upstream = await ask(['rev-parse', '--verify', '--quiet', '@{upstream}']);
  if (upstream === '') return { result: 'no-upstream', commits: 0 };
  const counts = (await localGit(git, cwd, ['rev-list', '--left-right', '--count', 'HEAD...@{upstream}'])).trim();
  const [ahead = 0, behind = 0] = counts.split(/\s+/).map(Number);
  if (behind === 0) return { result: 'up-to-date', commits: 0 };
  if (ahead > 0) {
    return {
      result: 'diverged',
      commits: behind,
      detail: `Here are ${ahead} of its own. Merge or rebase as you like.`,
    };
  }
  const merged = await git.run({
    args: ['merge', '--ff-only', '--no-stat', '--quiet', upstream],
    cwd,
    trust: 'guarded',
    timeoutMs,
    signal,
  });
  if (merged.code === 0) return { result: 'fast-forwarded', commits: behind };
  if (/would be overwritten|local changes|untracked working tree files/.test(merged.stderr)) {
    return { result: 'blocked', commits: behind, detail: namesOf(merged.stderr) };
  }
  throw merged.stderr.includes('.lock')
    ? gitError(merged.stderr)
    : new SpoonError('git-failed', lastWords(merged.stderr));
}

/** The files that git says are in the way; it names them on lines of their own. */
function namesOf(stderr: string): string {
  const names = stderr
    .split('\n')
    .filter((line) => /^\s+\S/.test(line) || /^\S+$/.test(line))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(?:error|fatal|Aborting|Please)/.test(line));
  const shown = names.slice(0, 10).join(', ');
  return `Unsaved changes are in the way: ${shown}${names.length > 10 ? ', …' : ''}. Commit or stash them, then update again.`;
}
