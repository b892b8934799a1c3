import { existsSync } from 'node:fs';
import { SpoonError } from '../../protocol/errors.ts';
import type { CheckoutStatus } from '../../protocol/threads.ts';
import { checkInHome, isCheckout, look } from './checkoutPlace.ts';
import { gitError } from './gitErrors.ts';
import type { Git } from './runGit.ts';
import { StatusOutput } from './statusOutput.ts';

const statusTimeoutMs = 10_000;
const maxDirty = 1000;
const maxUnpushed = 1000;
const operations = [
  ['MERGE_HEAD', 'merge'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['BISECT_LOG', 'bisect'],
] as const;

const unknown = {
  branch: null,
  dirty: 0,
  dirtyMore: false,
  ahead: null,
  behind: null,
  unpushed: 0,
  unpushedMore: false,
  stashes: 0,
} as const;

/** What the owner's own git says of a checkout. Bounded in time and in what is counted; never the network. */
export async function readStatus(git: Git, home: string, folder: string): Promise<CheckoutStatus> {
  const checkedMs = Date.now();
  try {
    checkInHome(home, folder);
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return { ...unknown, state: 'broken', checkedMs, detail: error.message.slice(0, 1024) };
  }
  if (look(home, folder) === undefined) return { ...unknown, state: 'missing', checkedMs };
  if (!isCheckout(home, folder)) {
    return { ...unknown, state: 'broken', checkedMs, detail: `~/${folder} is not a checkout.` };
  }
  try {
    return await read(git, `${home}/${folder}`, checkedMs);
  } catch (error) {
    if (!(error instanceof SpoonError)) throw error;
    return { ...unknown, state: 'broken', checkedMs, detail: error.message.slice(0, 1024) };
  }
}

async function read(git: Git, cwd: string, checkedMs: number): Promise<CheckoutStatus> {
  const output = new StatusOutput({ maxEntries: maxDirty, maxNames: 0 });
  const result = await git.run({
    args: ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=normal'],
    cwd,
    trust: 'local',
    timeoutMs: statusTimeoutMs,
    onOutput: (chunk) => output.add(chunk),
  });
  if (result.code !== 0 && result.code !== null) throw gitError(result.stderr);
  const unpushed = output.hasCommits ? await countUnpushed(git, cwd, maxUnpushed) : 0;
  const operation = operations.find(([name]) => existsSync(`${cwd}/.git/${name}`))?.[1];
  return {
    state: 'ready',
    branch: output.branch,
    dirty: output.unsavedCount,
    dirtyMore: output.isFull,
    ahead: output.ahead,
    behind: output.behind,
    unpushed: Math.min(unpushed, maxUnpushed),
    unpushedMore: unpushed > maxUnpushed,
    stashes: (await listStashes(git, cwd)).length,
    checkedMs,
    ...(operation === undefined ? {} : { operation }),
  };
}

/** Commits that are here and on no remote: of all branches, and of what is checked out. At most one more than `max`. */
export async function countUnpushed(git: Git, cwd: string, max: number): Promise<number> {
  const text = await localGit(git, cwd, ['rev-list', '--count', `--max-count=${max + 1}`, ...unpushedRange]);
  return Number(text.trim());
}

export const unpushedRange = ['HEAD', '--branches', '--not', '--remotes'] as const;

export async function listStashes(git: Git, cwd: string): Promise<string[]> {
  const text = await localGit(git, cwd, ['stash', 'list', '--format=%gs', '-n', '1000']);
  return text.split('\n').filter((line) => line !== '');
}

/** @throws SpoonError what {@link gitError} makes of a failure */
export async function localGit(git: Git, cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await git.run({ args, cwd, trust: 'local', timeoutMs: statusTimeoutMs });
  if (code !== 0) throw gitError(stderr);
  return stdout;
}
